/** Where the marks of the chart stand. The picture is `WIDTH` × `HEIGHT`; values go from 0 at its foot to 1 at its top. */
import type { Epoch } from "./queries";

export const WIDTH = 640;
export const HEIGHT = 180;
export const INSET = 8;
const ONE = 1_000_000;

export interface Mark {
  x: number;
  y: number;
  number: number;
}

export interface Series {
  name: string;
  symbol: string;
  of: (epoch: Epoch) => number | undefined;
}

export const SERIES: readonly Series[] = [
  { name: "Coherence", symbol: "Ĉ", of: (epoch) => epoch.coherence_millionths },
  { name: "Attunement", symbol: "λ", of: (epoch) => epoch.attunement_millionths },
  { name: "Lowest score", symbol: "Ψ", of: lowestPsi },
];

/** The score of the validator that has the lowest. */
export function lowestPsi({ validators }: Epoch): number | undefined {
  return validators.length === 0 ? undefined : Math.min(...validators.map((validator) => validator.psi_millionths));
}

export function heightOf(millionths: number): number {
  return HEIGHT - INSET - (millionths / ONE) * (HEIGHT - 2 * INSET);
}

/** The marks of one series, oldest first, in runs of epochs that follow each other: between runs nothing was measured. */
export function runsOf(series: Series, newestFirst: readonly Epoch[]): Mark[][] {
  const epochs = newestFirst.toReversed();
  const step = (WIDTH - 2 * INSET) / Math.max(1, epochs.length - 1);
  const runs: Mark[][] = [];
  epochs.forEach((epoch, at) => {
    const value = series.of(epoch);
    if (value === undefined) return;
    const x = epochs.length === 1 ? WIDTH / 2 : INSET + at * step;
    const mark = { x: Math.round(x * 10) / 10, y: Math.round(heightOf(value) * 10) / 10, number: epoch.number };
    const last = runs.at(-1);
    if (last?.at(-1)?.number === epoch.number - 1) last.push(mark);
    else runs.push([mark]);
  });
  return runs;
}

export function pathOf(run: readonly Mark[]): string {
  return run.map(({ x, y }, at) => `${at === 0 ? "M" : "L"}${x} ${y}`).join("");
}
