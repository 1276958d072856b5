import { Gem, Globe, KeyRound, type LucideIcon, Users } from "lucide-react";
import { Hint } from "./Hint";
import classes from "./PrivacyBadge.module.css";

export const LEVELS: Record<string, { label: string; means: string; icon: LucideIcon }> = {
  public: { label: "Public", means: "Everybody can read and find it.", icon: Globe },
  premium: { label: "Premium", means: "Premium members and co-authors read it; others see a summary.", icon: Gem },
  thread: {
    label: "Co-authors",
    means: "Only the co-authors read it; others see who wrote, when and how much.",
    icon: Users,
  },
  encrypted: { label: "Encrypted", means: "Only who holds the key reads it. No node does.", icon: KeyRound },
};

/** A privacy level with what it means. Public content needs no words about it. */
export function PrivacyBadge({ level, quiet = false }: { level: string; quiet?: boolean }) {
  const found = LEVELS[level];
  if (found === undefined || (quiet && level === "public")) return null;
  const Icon = found.icon;
  return (
    <Hint label={found.means}>
      <span className={classes.badge}>
        <Icon size={14} aria-hidden /> {found.label}
      </span>
    </Hint>
  );
}
