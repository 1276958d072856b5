import { expect, test } from "vitest";
import { cutQuery, MAXIMUM_QUERY_CHARACTERS } from "../src/lib/query";

test("a query of usual length is not cut", () => {
  expect(cutQuery(" fee\nmarket ")).toEqual(["fee market", false]);
  expect(cutQuery("e\u0301".repeat(MAXIMUM_QUERY_CHARACTERS))[1]).toBe(false);
});

test("a long query is cut between words, and within one that is too long", () => {
  expect(cutQuery(`${"x".repeat(8_190)} words`)).toEqual(["x".repeat(8_190), true]);
  expect(cutQuery("x".repeat(8_193))).toEqual(["x".repeat(8_192), true]);
  expect(cutQuery(`word ${"x".repeat(10_000)}`)[0]).toHaveLength(8_192);
});

test("a character is never cut in two", () => {
  const [text, isCut] = cutQuery("🦘".repeat(9_000));
  expect(isCut).toBe(true);
  expect(text).toBe("🦘".repeat(8_192));
  expect(encodeURIComponent(text).length).toBeLessThan(128 * 1024);
});
