/** Keys that are pressed before the field they are meant for has the focus: kept in order, for it to take. */

const ACTING = new Set(["Enter", "Backspace", "ArrowDown", "ArrowUp", "Home", "End"]);

export class TypeAhead {
  private keys: string[] = [];

  /** `onEscape`: the field is not wanted any more. */
  constructor(private readonly onEscape: () => void) {}

  start(): void {
    this.keys = [];
    // Before everything else hears of the key: it is meant for nothing that is on the page now.
    window.addEventListener("keydown", this.hear, true);
  }

  /** Listen no longer; what was pressed meanwhile. */
  take(): readonly string[] {
    window.removeEventListener("keydown", this.hear, true);
    const { keys } = this;
    this.keys = [];
    return keys;
  }

  private readonly hear = (event: KeyboardEvent): void => {
    // A word that is being composed belongs to the field in which it was begun.
    if (event.isComposing || event.key === "Process") return;
    const isCharacter = [...event.key].length === 1;
    const isTyped = !isModified(event) && (isCharacter || ACTING.has(event.key));
    if (!isTyped && event.key !== "Escape" && event.key !== "Tab") return;
    event.preventDefault();
    event.stopImmediatePropagation();
    if (isTyped) this.keys.push(event.key);
    else if (event.key === "Escape") this.onEscape();
  };
}

/** AltGr writes characters, though it counts as Control and Alt on some systems. */
function isModified(event: KeyboardEvent): boolean {
  return (event.ctrlKey || event.metaKey || event.altKey) && !event.getModifierState("AltGraph");
}

/** What the field makes of keys: a run of written ones, a run of those that move the selection, or Enter. */
export interface Step {
  readonly is: "written" | "moving" | "enter";
  readonly keys: readonly string[];
}

/** Keys in their order, as few steps as can be. */
export function stepsOf(keys: readonly string[]): readonly Step[] {
  const steps: { is: Step["is"]; keys: string[] }[] = [];
  for (const key of keys) {
    const is = kindOf(key);
    const last = steps.at(-1);
    if (last?.is === is) last.keys.push(key);
    else steps.push({ is, keys: [key] });
  }
  return steps;
}

/** A text after keys were written at its end. */
export function written(text: string, keys: readonly string[]): string {
  const characters = [...text];
  for (const key of keys) {
    if (key === "Backspace") characters.pop();
    else characters.push(key);
  }
  return characters.join("");
}

function kindOf(key: string): Step["is"] {
  if (key === "Enter") return "enter";
  return key === "Backspace" || !ACTING.has(key) ? "written" : "moving";
}
