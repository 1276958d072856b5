import { describe, expect, it } from "vitest";
import { HEIGHT, INSET, lowestPsi, pathOf, runsOf, SERIES, WIDTH } from "@/views/network/chart";
import { describeChecked, describeProblems, formatMillionths } from "@/views/network/measured";
import type { Epoch } from "@/views/network/queries";

const CHECKED = { records: 6, records_held: 6, challenges: 6, challenges_met: 6, answers: 48, answers_given: 48 };

function epoch(number: number, coherence = 1_000_000, checked: Partial<Epoch["checked"]> = {}): Epoch {
  return {
    number,
    started_at_ms: number * 60_000,
    ended_at_ms: (number + 1) * 60_000,
    measured_at_ms: (number + 1) * 60_000,
    height: number + 1,
    seed: "5e".repeat(32),
    coherence_millionths: coherence,
    attunement_millionths: 750_000,
    alpha_millionths: 1_000_000,
    validators: [
      { address: "a", agreement_millionths: coherence, psi_millionths: 850_000 },
      { address: "b", agreement_millionths: coherence, psi_millionths: 600_000 },
    ],
    checked: { ...CHECKED, problems: {}, ...checked },
  };
}

describe("a measured epoch", () => {
  it.each([
    [1_000_000, "1.000"],
    [999_999, "0.999"],
    [937_500, "0.937"],
    [0, "0.000"],
  ])("shows %d as %s, rounded down", (value, shown) => {
    expect(formatMillionths(value)).toBe(shown);
  });

  it("says what was wrong", () => {
    expect(describeProblems(epoch(1))).toEqual([]);
    const wrong = epoch(1, 900_000, { problems: { hash_differs: 1, text_missing: 2 }, records_held: 4 });
    expect(describeProblems(wrong)).toEqual(["1 text is not the one that was signed", "2 texts are not in the memory"]);
    expect(
      describeProblems(epoch(1, 500_000, { problems: { search_unavailable: 1 }, answers: 0, answers_given: 0 })),
    ).toEqual(["search did not answer"]);
  });

  it("says what no challenge has found", () => {
    expect(describeProblems(epoch(1, 900_000, { records_held: 5 }))).toEqual(["1 message not held"]);
    expect(describeProblems(epoch(1, 900_000, { answers_given: 40 }))).toEqual(["8 answers of 48 not found by search"]);
  });

  it("names a kind of problem that this app does not know", () => {
    expect(describeProblems(epoch(1, 900_000, { problems: { of_tomorrow: 3 } }))).toEqual(["3 of_tomorrow"]);
  });

  it("says what was looked at", () => {
    expect(describeChecked(epoch(1))).toBe("6 messages, 6 texts, 48 answers of search");
  });

  it("has the lowest of its scores", () => {
    expect(lowestPsi(epoch(1))).toBe(600_000);
    expect(lowestPsi({ ...epoch(1), validators: [] })).toBeUndefined();
  });
});

describe("the chart", () => {
  const [coherence] = SERIES;
  if (coherence === undefined) throw new Error("no series");

  it("goes from the oldest to the newest, from 0 at the foot to 1 at the top", () => {
    const [run] = runsOf(coherence, [epoch(3, 0), epoch(2, 500_000), epoch(1)]);
    expect(run).toEqual([
      { x: INSET, y: INSET, number: 1 },
      { x: WIDTH / 2, y: HEIGHT / 2, number: 2 },
      { x: WIDTH - INSET, y: HEIGHT - INSET, number: 3 },
    ]);
    expect(pathOf(run ?? [])).toBe(`M8 8L${WIDTH / 2} ${HEIGHT / 2}L${WIDTH - INSET} ${HEIGHT - INSET}`);
  });

  it("draws no line over epochs that were not measured", () => {
    const runs = runsOf(coherence, [epoch(9), epoch(8), epoch(4), epoch(3), epoch(1)]);
    expect(runs.map((run) => run.map((mark) => mark.number))).toEqual([[1], [3, 4], [8, 9]]);
  });

  it("leaves out what an epoch does not have", () => {
    const psi = SERIES[2];
    if (psi === undefined) throw new Error("no score");
    expect(runsOf(psi, [{ ...epoch(1), validators: [] }])).toEqual([]);
  });

  it("has a single epoch in its middle, and none of none", () => {
    expect(runsOf(coherence, [epoch(1)])[0]?.[0]?.x).toBe(WIDTH / 2);
    expect(runsOf(coherence, [])).toEqual([]);
  });
});
