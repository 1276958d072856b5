import { useEffect } from "react";
import { later } from "@/ui/later";
import { tellError } from "@/ui/notify";
import { closePalette, openPalette, opensPalette, usePaletteOpen } from "./palette";

export const paletteDialog = later(async () => (await import("./PaletteDialog")).PaletteDialog);

/** Everything by keyboard: opens at its keys. What it shows comes later, and what is typed meanwhile is kept for it. */
export function CommandPalette() {
  const Dialog = paletteDialog.use(usePaletteOpen(), fail);
  useEffect(() => {
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

function fail(error: unknown): void {
  closePalette();
  tellError("The palette did not load", error);
}
