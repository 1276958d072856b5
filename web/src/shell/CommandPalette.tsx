import { useEffect } from "react";
import { later, whenIdle } from "@/ui/later";
import { closePalette, openPalette, opensPalette, usePaletteOpen } from "./palette";

const dialog = later(async () => (await import("./PaletteDialog")).PaletteDialog);

/** Everything by keyboard: opens at its keys. What it shows comes later, and what is typed meanwhile is kept for it. */
export function CommandPalette() {
  const Dialog = dialog.use(usePaletteOpen(), closePalette);
  useEffect(() => {
    // Then it also opens while the node is gone. If it does not come, the next opening says so.
    whenIdle(() => void dialog.load().catch(() => undefined));
    window.addEventListener("keydown", press);
    return () => window.removeEventListener("keydown", press);
  }, []);
  return Dialog === undefined ? null : <Dialog />;
}

function press(event: KeyboardEvent): void {
  if (!opensPalette(event)) return;
  event.preventDefault();
  openPalette();
}
