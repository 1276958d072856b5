import { expect, test } from "vitest";
import { disguisedHost } from "@/markdown/disguise";

test.each([
  ["https://example.org/a", "the standard", undefined],
  ["https://example.org/a", "https://example.org/b", undefined],
  ["https://www.example.org/", "example.org", undefined],
  ["mailto:a@example.org", "a@example.org", undefined],
  ["https://other.test/login", "https://example.org/safe", "other.test"],
  ["https://other.test/login", "example.org", "other.test"],
  ["https://other.test/", "see www.example.org for more", "other.test"],
  ["https://example.org.other.test/", "example.org", "example.org.other.test"],
  ["https://example.org@other.test/", "https://example.org", "other.test"],
  ["https://еxample.org/", "example.org", "xn--xample-2of.org"],
  ["https://other.test/", "\u202egro.elpmaxe", "other.test"],
])("%s as “%s”", (href, words, host) => {
  expect(disguisedHost(href, words)).toBe(host);
});
