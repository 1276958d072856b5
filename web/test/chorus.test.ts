import { describe, expect, it } from "vitest";
import { composeMessage, numberCitations } from "@/chorus/citations";
import type { AnswerCitation, PriorView, RunEvent, StepName } from "@/chorus/events";
import { isOver, latestOf, reduce, reduceAll } from "@/chorus/run";
import { EventParser, readMessages } from "@/chorus/sse";

describe("server-sent events", () => {
  const stream = 'event: token\nid: 1\ndata: {"a":1}\n\n: still here\n\nevent: x\r\ndata:2\r\ndata: 3\r\n\r\ndata: cut';

  it("are found wherever the stream is cut", () => {
    for (let size = 1; size <= stream.length; size += 1) {
      const parser = new EventParser();
      const found: string[] = [];
      for (let at = 0; at < stream.length; at += size) found.push(...parser.push(stream.slice(at, at + size)));
      expect(found).toEqual(['{"a":1}', "2\n3"]);
    }
  });

  it("are decoded across pieces of a character, and silence is an error", async () => {
    const bytes = new TextEncoder().encode("data: é\n\n");
    const body = new ReadableStream<Uint8Array>({
      start(controller) {
        controller.enqueue(bytes.slice(0, 7));
        controller.enqueue(bytes.slice(7));
      },
    });
    const messages = readMessages(body, 20);
    expect((await messages.next()).value).toBe("é");
    await expect(messages.next()).rejects.toThrow("silent");
  });
});

const citation = (prior: string, quote = "words"): AnswerCitation => ({
  prior,
  quote,
  content_hash: prior.slice(1).padStart(64, "0"),
  thread_id: "t",
  proof: "/",
});

describe("citations", () => {
  it("are numbered in the order of their marks; those without a mark come last", () => {
    const citations = [citation("p1"), citation("p7", "a"), citation("p2"), citation("p7", "b")];
    const { text, sources } = numberCitations("So [p7], and [p2][p7]. [p9] is none.", citations);
    expect(text).toBe("So [1], and [2][1]. [p9] is none.");
    expect(sources.map((each) => each.map(({ prior, quote }) => prior + quote))).toEqual([
      ["p7a", "p7b"],
      ["p2words"],
      ["p1words"],
    ]);
  });

  it("become the priors of a message in the network's form", () => {
    const run = { prompt: "Why?\r\n", answer: "Because\u0007 e\u0301 [p2].", citations: [citation("p2")] };
    expect(composeMessage(run)).toEqual({
      text: `Question: Why?\n\n\nBecause  é [1].\n\nSources:\n\n[1] ${"2".padStart(64, "0")}`,
      priors: ["2".padStart(64, "0")],
    });
    expect(composeMessage({ ...run, citations: [] }).text).not.toContain("Sources");
  });
});

describe("a run", () => {
  const started: RunEvent = {
    type: "run_started",
    number: 1,
    at_ms: 0,
    run_id: "r",
    prompt: "Why?",
    thread_id: null,
    models: { action: "extractive" },
    is_extractive: true,
  };
  const begin = (number: number, step: StepName, round = 1, attempt = 1): RunEvent => ({
    type: "step_started",
    number,
    at_ms: 0,
    step,
    round,
    attempt,
    model: "extractive",
  });
  const token = (number: number, step: StepName, text: string): RunEvent => ({
    type: "token",
    number,
    at_ms: 0,
    step,
    text,
  });
  const usage = { input_tokens: 0, output_tokens: 0, cost_usd: null };
  const finish = (number: number, round = 1): RunEvent => ({
    type: "step_finished",
    number,
    at_ms: 0,
    step: "action",
    round,
    output: { step: "action", initial_response: "x", confidence: 1 },
    removed_citations: 0,
    usage,
    model_ms: 1,
    first_token_ms: null,
    took_ms: 1,
  });

  it("gathers the text of the step under way, and takes no event twice", () => {
    const events = [started, begin(2, "action"), token(3, "action", "He"), token(4, "action", "llo")];
    const state = events.reduce(reduce, reduceAll(events));
    expect(state).toMatchObject({ status: "running", step: "action", isExtractive: true, lastNumber: 4 });
    expect(latestOf(state, "action")?.text).toBe("Hello");
  });

  it("begins a step's text anew when it is tried again", () => {
    const failed: RunEvent = {
      type: "step_failed",
      number: 4,
      at_ms: 0,
      step: "action",
      round: 1,
      attempt: 1,
      error: "ModelTimeout",
      message: "It took too long.",
      will_retry: true,
    };
    const before = reduceAll([started, begin(2, "action"), token(3, "action", "Wro"), failed]);
    expect(latestOf(before, "action")).toMatchObject({ status: "failed", error: "It took too long." });
    const after = reduce(reduce(before, begin(5, "action", 1, 2)), token(6, "action", "Right"));
    expect(latestOf(after, "action")).toMatchObject({ status: "writing", text: "Right", attempt: 2, error: undefined });
  });

  it("keeps each round, and says which counts no more", () => {
    const prior = { id: "p1" } as PriorView;
    const found: RunEvent = { type: "priors_found", number: 4, at_ms: 0, query: "why", priors: [prior] };
    const removed: RunEvent = { type: "priors_removed", number: 6, at_ms: 0, priors: ["p1"] };
    const state = reduceAll([
      started,
      begin(2, "action"),
      finish(3),
      found,
      removed,
      begin(7, "action", 2),
      finish(8, 2),
    ]);
    expect(state.rounds.map(({ number, isVoid, found: ids }) => [number, isVoid, ids])).toEqual([
      [1, true, ["p1"]],
      [2, false, []],
    ]);
    expect(state.removed.has("p1")).toBe(true);
    expect(state.step).toBeUndefined();
  });

  it.each([
    [{ type: "run_cancelled", number: 2, at_ms: 0 }, "cancelled"],
    [{ type: "run_failed", number: 2, at_ms: 0, step: null, error: "NodeStopped", message: "Stopped." }, "failed"],
  ] as [RunEvent, string][])("ends: %o", (ending, status) => {
    const state = reduceAll([started, ending]);
    expect(state.status).toBe(status);
    expect(isOver(state)).toBe(true);
    expect(isOver(reduceAll([started]))).toBe(false);
  });
});
