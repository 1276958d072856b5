import { Kbd, Modal, Switch } from "@mantine/core";
import classes from "./HelpDialog.module.css";
import { help } from "./help";
import { PALETTE_KEYS } from "./palette";
import { type Shortcut, setShortcutsOn, useShortcutList, useShortcutsOn } from "./shortcuts";

const GROUPS = ["Go to", "Do", "In a thread"] as const;

/** Every shortcut, and the switch for single keys. */
export function HelpDialog() {
  const isOpen = help.use();
  const list = useShortcutList();
  const isOn = useShortcutsOn();
  return (
    <Modal opened={isOpen} onClose={() => help.set(false)} title="Keyboard shortcuts" size="lg" centered>
      <div className={classes.groups} data-off={!isOn || undefined}>
        {GROUPS.map((group) => (
          <section key={group}>
            <h3>{group}</h3>
            <dl>
              {group === "Do" && <Row keys={PALETTE_KEYS} does="Search or go to anything" />}
              {list
                .filter((shortcut) => shortcut.group === group)
                .map((shortcut) => (
                  <Row key={shortcut.keys} {...shortcut} />
                ))}
            </dl>
          </section>
        ))}
      </div>
      <Switch
        label="Single keys"
        description="Turn them off if you set them off unwillingly. The combination with Ctrl or ⌘ stays."
        checked={isOn}
        onChange={(event) => setShortcutsOn(event.currentTarget.checked)}
      />
    </Modal>
  );
}

function Row({ keys, does }: Pick<Shortcut, "keys" | "does">) {
  return (
    <div className={classes.row}>
      <dt>{does}</dt>
      <dd>
        {keys.split(" ").map((key) => (
          <Kbd key={key}>{key}</Kbd>
        ))}
      </dd>
    </div>
  );
}
