import { describe, expect, it } from "vitest";
import { newPhrase, normalisePhrase, phraseProblem, seedOfPhrase, seedOfTyped, WORDS } from "@/keys/phrase";
import { toHex } from "@/lib/bytes";
import { keyFromSeed } from "@/lib/ed25519";

const ZEROS = `${"abandon ".repeat(23)}art`;

describe("recovery phrase", () => {
  it("gives the address that Solana wallets give at m/44'/501'/0'/0'", async () => {
    const key = await keyFromSeed(await seedOfPhrase(ZEROS));
    expect(key.address).toBe("3Cy3YNTFywCmxoxt8n7UH6hg6dLo5uACowX3CFceaSnx");
  });

  it("follows the published derivation of the path", async () => {
    // BIP-39, then SLIP-0010, calculated by another implementation.
    expect(toHex(await seedOfPhrase(ZEROS))).toBe("7c139e1a603ca04f5f7cff194e1bb6f6d1b9098470ea90695ab628488a9f921b");
  });

  it("makes 24 words that are a phrase, another one each time", () => {
    const [one, two] = [newPhrase(), newPhrase()];
    expect(one.split(" ")).toHaveLength(WORDS);
    expect(phraseProblem(one)).toBeUndefined();
    expect(one).not.toBe(two);
  });

  it("takes words as people type them", () => {
    const typed = ZEROS.split(" ")
      .map((word, i) => `${i + 1}. ${word.toUpperCase()}`)
      .join("\n");
    expect(normalisePhrase(typed)).toBe(ZEROS);
  });

  it("takes the seed that the command line prints instead of words", async () => {
    const seed = toHex(await seedOfPhrase(ZEROS));
    expect(toHex(await seedOfTyped(` ${seed.toUpperCase()}\n`))).toBe(seed);
    expect(toHex(await seedOfTyped(ZEROS))).toBe(seed);
    await expect(seedOfTyped(seed.slice(1))).rejects.toThrow("not a word");
  });

  it.each([
    ["", "24 words"],
    ["abandon ".repeat(23).trim(), "23"],
    [ZEROS.replace("art", "zoo"), "fit together"],
    [ZEROS.replace("art", "xyzzy"), "xyzzy"],
  ])("says what is wrong with %s", (phrase, words) => {
    expect(phraseProblem(phrase)).toContain(words);
  });
});
