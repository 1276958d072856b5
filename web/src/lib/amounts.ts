/** CHOIR amounts: decimal texts of uchoir in every answer; 1 CHOIR = 1,000,000 uchoir. */

export const UCHOIR_PER_CHOIR = 1_000_000n;

/** uchoir of a text as people write it ("12.5"). Undefined when it is no amount. */
export function parseChoir(text: string): bigint | undefined {
  const match = /^(\d{1,11})(?:[.,](\d{1,6}))?$/.exec(text.trim());
  if (match === null) return undefined;
  const [, whole = "0", fraction = ""] = match;
  return BigInt(whole) * UCHOIR_PER_CHOIR + BigInt(fraction.padEnd(6, "0"));
}

/** "12.5" of 12500000: exact, without grouping, as an input field takes it. */
export function choirText(uchoir: bigint): string {
  const fraction = (uchoir % UCHOIR_PER_CHOIR).toString().padStart(6, "0").replace(/0+$/, "");
  return `${uchoir / UCHOIR_PER_CHOIR}${fraction === "" ? "" : `.${fraction}`}`;
}

/** An amount for people, in their locale, with at most `digits` digits after the point. */
export function formatChoir(uchoir: bigint | string, digits = 2, locale?: string): string {
  const exact = choirText(BigInt(uchoir));
  const format = new Intl.NumberFormat(locale, { maximumFractionDigits: digits, roundingMode: "trunc" });
  // A text, not a number: amounts may pass what a double holds exactly.
  return format.format(exact as unknown as number);
}
