/** Canonical JSON (RFC 8785) of the values that the ledger knows: no number but whole ones within ±(2^53 − 1). */

export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json | undefined };

export class CanonicalError extends Error {
  override name = "CanonicalError";
}

/** The one text form of `value`. Object members that are `undefined` are left out. Throws `CanonicalError`. */
export function canonicalJson(value: Json): string {
  if (value === null || typeof value === "boolean") return String(value);
  if (typeof value === "number") return canonicalNumber(value);
  if (typeof value === "string") return canonicalText(value);
  if (isList(value)) return `[${value.map(canonicalJson).join(",")}]`;
  const members = Object.entries(value).flatMap(([key, member]) =>
    member === undefined ? [] : [[key, member] as const],
  );
  // JavaScript compares texts by UTF-16 units, as the RFC asks.
  members.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  return `{${members.map(([key, member]) => `${canonicalText(key)}:${canonicalJson(member)}`).join(",")}}`;
}

function isList(value: Json): value is readonly Json[] {
  return Array.isArray(value);
}

function canonicalNumber(value: number): string {
  if (!Number.isSafeInteger(value)) throw new CanonicalError(`${value} is not a whole number within ±(2^53 − 1)`);
  return String(value === 0 ? 0 : value);
}

function canonicalText(text: string): string {
  if (!text.isWellFormed()) throw new CanonicalError("the text has half a surrogate pair");
  return JSON.stringify(text);
}
