import { spotlight } from "@mantine/spotlight";

/** The keys that open the command palette, as this machine's keyboard names them. */
export const PALETTE_KEYS = /Mac|iPhone|iPad/.test(navigator.userAgent) ? "⌘ K" : "Ctrl K";

/** Opens the command palette. */
export function openPalette(): void {
  spotlight.open();
}
