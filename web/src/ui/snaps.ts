/** Where a bottom sheet stops, in % of the window's height. */
export const SNAPS = [0, 50, 85] as const;
export type Snap = (typeof SNAPS)[number];

/** How far a flick carries on: the way of this many milliseconds at its speed. */
const CARRY_MS = 160;

/** Where a sheet comes to rest that was let go at `atVh`, moving upwards with `speed` (% of the height per ms). */
export function nearestSnap(atVh: number, speed: number): Snap {
  const aim = atVh + speed * CARRY_MS;
  return SNAPS.reduce((best, snap) => (Math.abs(snap - aim) < Math.abs(best - aim) ? snap : best));
}

/** The stop `by` steps higher (or lower), as far as there are any. */
export function steppedSnap(snap: Snap, by: number): Snap {
  const at = Math.min(SNAPS.length - 1, Math.max(0, SNAPS.indexOf(snap) + by));
  return SNAPS[at] ?? snap;
}
