/** A run as its events tell it, step by step. Pure: an event and a state in, a state out. */
import type { PriorView, RunEvent, RunFinished, StepName, StepOutput } from "./events";

export type RunStatus = "starting" | "running" | "finished" | "failed" | "cancelled";

export interface StepState {
  readonly status: "writing" | "done" | "failed";
  /** What is written so far, unchecked: to be shown as plain text. */
  readonly text: string;
  readonly output: StepOutput | undefined;
  readonly attempt: number;
  readonly model: string;
  /** Why the last attempt failed. */
  readonly error: string | undefined;
  readonly tookMs: number | undefined;
  readonly removedCitations: number;
}

export interface RoundState {
  readonly number: number;
  readonly steps: Partial<Record<StepName, StepState>>;
  /** What was searched for. */
  readonly query: string | undefined;
  /** Ids of the priors that were new in this round. */
  readonly found: readonly string[];
  /** Written from a message that the asker may not read any more: it counts no more. */
  readonly isVoid: boolean;
}

export interface RunState {
  readonly runId: string | undefined;
  readonly isExtractive: boolean;
  readonly models: Readonly<Record<string, string>>;
  readonly status: RunStatus;
  readonly rounds: readonly RoundState[];
  /** The step under way. */
  readonly step: StepName | undefined;
  readonly priors: ReadonlyMap<string, PriorView>;
  /** Ids of priors that may not be read any more. */
  readonly removed: ReadonlySet<string>;
  readonly ending: RunFinished | undefined;
  readonly failure: { readonly error: string; readonly message: string } | undefined;
  readonly lastNumber: number;
}

export const EMPTY_RUN: RunState = {
  runId: undefined,
  isExtractive: false,
  models: {},
  status: "starting",
  rounds: [],
  step: undefined,
  priors: new Map(),
  removed: new Set(),
  ending: undefined,
  failure: undefined,
  lastNumber: 0,
};

export function isOver({ status }: RunState): boolean {
  return status === "finished" || status === "failed" || status === "cancelled";
}

/** The newest state of a step, from whichever round. */
export function latestOf(state: RunState, step: StepName): StepState | undefined {
  return state.rounds.findLast((round) => round.steps[step] !== undefined)?.steps[step];
}

export function reduceAll(events: readonly RunEvent[]): RunState {
  return events.reduce(reduce, EMPTY_RUN);
}

/** The state after an event. One that was seen before changes nothing. */
export function reduce(state: RunState, event: RunEvent): RunState {
  if (event.number <= state.lastNumber) return state;
  return { ...state, ...change(state, event), lastNumber: event.number };
}

function change(state: RunState, event: RunEvent): Partial<RunState> {
  switch (event.type) {
    case "run_started":
      return { runId: event.run_id, isExtractive: event.is_extractive, models: event.models, status: "running" };
    case "step_started":
      return { status: "running", step: event.step, rounds: begin(state.rounds, event) };
    case "priors_found":
      return found(state, event);
    case "priors_removed":
      return {
        removed: new Set([...state.removed, ...event.priors]),
        rounds: state.rounds.map((round) => ({ ...round, isVoid: true })),
      };
    case "token":
      return { rounds: inLastRound(state.rounds, event.step, (step) => ({ ...step, text: step.text + event.text })) };
    case "step_finished":
      return { step: undefined, rounds: inLastRound(state.rounds, event.step, (step) => finish(step, event)) };
    case "step_failed":
      return {
        step: undefined,
        rounds: inLastRound(state.rounds, event.step, (step) => ({ ...step, status: "failed", error: event.message })),
      };
    case "run_finished":
      return { status: "finished", step: undefined, ending: event };
    case "run_failed":
      return { status: "failed", step: undefined, failure: { error: event.error, message: event.message } };
    case "run_cancelled":
      return { status: "cancelled", step: undefined };
  }
}

type Event<T extends RunEvent["type"]> = Extract<RunEvent, { type: T }>;

function begin(rounds: readonly RoundState[], event: Event<"step_started">): readonly RoundState[] {
  const step: StepState = {
    status: "writing",
    text: "",
    output: undefined,
    attempt: event.attempt,
    model: event.model,
    error: undefined,
    tookMs: undefined,
    removedCitations: 0,
  };
  const isNew = rounds.at(-1)?.number !== event.round;
  const round: RoundState = { number: event.round, steps: {}, query: undefined, found: [], isVoid: false };
  return inLastRound(isNew ? [...rounds, round] : rounds, event.step, () => step, step);
}

function found(state: RunState, event: Event<"priors_found">): Partial<RunState> {
  const priors = new Map(state.priors);
  for (const prior of event.priors) priors.set(prior.id, prior);
  const ids = event.priors.map((prior) => prior.id);
  const rounds = state.rounds.map((round, at) =>
    at < state.rounds.length - 1 ? round : { ...round, query: event.query, found: [...round.found, ...ids] },
  );
  return { priors, rounds };
}

function finish(step: StepState, event: Event<"step_finished">): StepState {
  return {
    ...step,
    status: "done",
    output: event.output,
    error: undefined,
    tookMs: event.took_ms,
    removedCitations: event.removed_citations,
  };
}

function inLastRound(
  rounds: readonly RoundState[],
  name: StepName,
  change: (step: StepState) => StepState,
  otherwise?: StepState,
): readonly RoundState[] {
  const last = rounds.at(-1);
  const step = last?.steps[name] ?? otherwise;
  if (last === undefined || step === undefined) return rounds;
  return [...rounds.slice(0, -1), { ...last, steps: { ...last.steps, [name]: change(step) } }];
}
