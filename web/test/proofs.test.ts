import { describe, expect, it } from "vitest";
import { fromHex, toHex } from "@/lib/bytes";
import { rootFromPath } from "@/lib/merkle";
import { checkProof, isProven, type Proof } from "@/lib/proofs";
import { readVectors } from "./vectors";

interface TreeCase {
  name: string;
  leaves: string[];
  expected: { root: string; paths: string[][] };
}
interface ProofCase {
  name: string;
  proof: Proof;
  validators: string[];
  expected: { fails: string } | null;
}

describe("Merkle paths", () => {
  it.each(readVectors<{ cases: TreeCase[] }>("merkle").cases)("$name", async ({ leaves, expected }) => {
    for (const [index, leaf] of leaves.entries()) {
      const path = (expected.paths[index] ?? []).map(fromHex);
      expect(toHex(await rootFromPath(fromHex(leaf), index, leaves.length, path))).toBe(expected.root);
      await expect(rootFromPath(fromHex(leaf), index, leaves.length, [...path, fromHex("00")])).rejects.toThrow();
    }
    await expect(rootFromPath(fromHex(""), leaves.length, leaves.length, [])).rejects.toThrow();
  });
});

describe("inclusion proofs", () => {
  it.each(readVectors<{ cases: ProofCase[] }>("proofs").cases)("$name", async ({ proof, validators, expected }) => {
    const results = await checkProof(proof, validators);
    expect(isProven(results)).toBe(expected === null);
    if (expected !== null) expect(results.find((step) => step.problem !== undefined)?.check).toBe(expected.fails);
  });
});
