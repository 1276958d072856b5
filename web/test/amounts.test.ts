import { describe, expect, it } from "vitest";
import { choirText, formatChoir, parseChoir } from "@/lib/amounts";

describe("amounts", () => {
  it.each([
    ["0", 0n],
    ["100", 100_000_000n],
    ["0.000001", 1n],
    ["12,5", 12_500_000n],
    ["10000000000", 10_000_000_000_000_000n],
  ])("%s", (text, uchoir) => {
    expect(parseChoir(text)).toBe(uchoir);
    expect(parseChoir(choirText(uchoir))).toBe(uchoir);
  });

  it.each(["", "-1", "1e3", "1.0000001", ".5", "abc", "1 000"])("%s is no amount", (text) => {
    expect(parseChoir(text)).toBeUndefined();
  });

  it("is written in the reader's locale, cut and not rounded up", () => {
    expect(formatChoir("1234567999999", 2, "en")).toBe("1,234,567.99");
    expect(formatChoir("1234567999999", 2, "de")).toBe("1.234.567,99");
    expect(formatChoir("9007199254740993", 6, "en")).toBe("9,007,199,254.740993");
  });
});
