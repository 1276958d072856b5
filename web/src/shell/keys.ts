/** Keys without modifiers, alone or one after the other ("g t"). Pure: keys and times in, what was meant out. */

/** The second key of a pair is waited for this long. */
export const PAIR_MS = 1200;

export class KeyReader {
  private first: { key: string; atMs: number } | undefined;

  constructor(private readonly combinations: readonly string[]) {}

  /** The combination that `key` completes. */
  press(key: string, atMs: number): string | undefined {
    const first = this.first !== undefined && atMs - this.first.atMs <= PAIR_MS ? this.first.key : undefined;
    this.first = undefined;
    const pair = first === undefined ? undefined : `${first} ${key}`;
    if (pair !== undefined && this.combinations.includes(pair)) return pair;
    if (this.combinations.includes(key)) return key;
    if (this.combinations.some((known) => known.startsWith(`${key} `))) this.first = { key, atMs };
    return undefined;
  }
}
