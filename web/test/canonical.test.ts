import { describe, expect, it } from "vitest";
import { utf8 } from "@/lib/bytes";
import { CanonicalError, canonicalJson, type Json } from "@/lib/canonical";
import { sha256Hex } from "@/lib/hashing";
import { signingBytes, type Transaction } from "@/lib/transactions";
import { readVectors } from "./vectors";

interface Case {
  name: string;
  value?: Json;
  raw_hex?: string;
  expected: { canonical: string; sha256: string; signing_bytes?: string };
}

const cases = readVectors<{ cases: Case[] }>("canonical").cases.filter((item) => item.raw_hex === undefined);

describe("canonical JSON", () => {
  it.each(cases)("$name", async ({ value, expected }) => {
    const text = canonicalJson(value as Json);
    expect(text).toBe(expected.canonical);
    expect(await sha256Hex(utf8(text))).toBe(expected.sha256);
  });

  it("signs what the ledger checks", () => {
    const signed = cases.find((item) => item.expected.signing_bytes !== undefined);
    const { signature: _, ...unsigned } = (signed?.value ?? {}) as unknown as Transaction;
    expect(new TextDecoder().decode(signingBytes(unsigned))).toBe(signed?.expected.signing_bytes);
  });

  it.each([0.5, 2 ** 53, -(2 ** 53), Number.NaN, "\ud800", { "\udfff": 1 }])("refuses %s", (value) => {
    expect(() => canonicalJson(value)).toThrow(CanonicalError);
  });

  it("leaves undefined members out and has one zero", () => {
    expect(canonicalJson({ b: undefined, a: -0 })).toBe('{"a":0}');
  });
});
