import { Menu, UnstyledButton } from "@mantine/core";
import { Check } from "lucide-react";
import type { PrivacyLevel } from "@/lib/transactions";
import { LEVELS } from "@/ui/PrivacyBadge";
import classes from "./Composer.module.css";

// A text of level "encrypted" must be sealed before it is sent; this app does not seal.
export const WRITABLE: readonly PrivacyLevel[] = ["public", "premium", "thread"];

export function PrivacyPicker({ level, onChange }: { level: PrivacyLevel; onChange: (level: PrivacyLevel) => void }) {
  const current = LEVELS[level];
  const Icon = current?.icon;
  return (
    <Menu width={300} position="top-start" shadow="md" withinPortal>
      <Menu.Target>
        <UnstyledButton className={classes.tool} aria-label={`Who reads it: ${current?.label}`}>
          {Icon && <Icon size={16} aria-hidden />} <span className={classes.label}>{current?.label}</span>
        </UnstyledButton>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>Who reads it</Menu.Label>
        {WRITABLE.map((choice) => {
          const info = LEVELS[choice];
          if (info === undefined) return null;
          return (
            <Menu.Item
              key={choice}
              leftSection={<info.icon size={16} />}
              rightSection={choice === level ? <Check size={15} aria-label="chosen" /> : null}
              onClick={() => onChange(choice)}
            >
              {info.label}
              <br />
              <small className="quiet">{info.means}</small>
            </Menu.Item>
          );
        })}
      </Menu.Dropdown>
    </Menu>
  );
}
