import { makeToggle } from "@/lib/toggle";
import { TypeAhead } from "./typeAhead";

const IS_MAC = /Mac|iPhone|iPad/.test(navigator.userAgent);

/** The keys that open the command palette, as this machine's keyboard names them. */
export const PALETTE_KEYS = IS_MAC ? "⌘ K" : "Ctrl K";

const toggle = makeToggle();
const ahead = new TypeAhead(closePalette);
let opener: Element | null | undefined;

export const usePaletteOpen = toggle.use;

/** Opens the command palette. What is typed from now on is meant for it. */
export function openPalette(): void {
  if (opener !== undefined) return;
  opener = document.activeElement;
  ahead.start();
  toggle.set(true);
}

/** Closes it; the focus goes back to where it was. */
export function closePalette(): void {
  const before = opener;
  opener = undefined;
  ahead.take();
  toggle.set(false);
  if (before instanceof HTMLElement) before.focus({ preventScroll: true });
}

/** What was typed before the palette's field had the focus. From now on the field hears itself. */
export function takeEarlyKeys(): readonly string[] {
  return ahead.take();
}

/** Whether these are the keys that open the palette, wherever one is. */
export function opensPalette(event: KeyboardEvent): boolean {
  // Control and K cut a line in the text fields of a Mac.
  const isWriting = event.target instanceof Element && event.target.closest("input, textarea") !== null;
  const hasModifier = IS_MAC && isWriting ? event.metaKey : event.metaKey || event.ctrlKey;
  return hasModifier && !event.altKey && !event.shiftKey && event.key.toLowerCase() === "k";
}
