import type { DehydratedState } from "@tanstack/react-query";
import { describe, expect, it } from "vitest";
import { choose } from "@/kept/kept";

const NOW = 1_000_000_000;
const DAY_MS = 86_400_000;

function stateOf(...queries: { ageMs: number; characters: number }[]): DehydratedState {
  return {
    mutations: [],
    queries: queries.map(({ ageMs, characters }, i) => ({
      queryKey: ["thread", i],
      queryHash: String(i),
      state: { data: "x".repeat(characters), dataUpdatedAt: NOW - ageMs },
    })),
  } as unknown as DehydratedState;
}

const names = (state: DehydratedState): string[] => state.queries.map((query) => query.queryHash);

describe("what is kept", () => {
  it("is the newest first, and nothing older than a day", () => {
    const state = stateOf(
      { ageMs: 50, characters: 1 },
      { ageMs: 10, characters: 1 },
      { ageMs: DAY_MS + 1, characters: 1 },
    );
    expect(names(choose(state, NOW))).toEqual(["1", "0"]);
  });

  it("is bounded in size: what is too large makes room for what is not", () => {
    const state = stateOf(
      { ageMs: 1, characters: 3_000_000 },
      { ageMs: 2, characters: 3_000_000 },
      { ageMs: 3, characters: 9 },
    );
    expect(names(choose(state, NOW))).toEqual(["0", "2"]);
  });

  it("is bounded in number", () => {
    const state = stateOf(...Array.from({ length: 500 }, (_, i) => ({ ageMs: i, characters: 1 })));
    expect(choose(state, NOW).queries).toHaveLength(120);
  });
});
