/** Runs that are watched while they go on: each over its own stream, which comes back when it breaks. */
import { useSyncExternalStore } from "react";
import { bearerToken, makeUrl, readAnswer } from "@/api/client";
import { Refused, Unreachable } from "@/api/errors";
import { queryClient } from "@/api/queries";
import { onSessionChange, sessionState } from "@/api/session";
import { live } from "@/live/connection";
import { isEnding, type RunEvent } from "./events";
import { EMPTY_RUN, isOver, type RunState, reduce } from "./run";
import { readMessages } from "./sse";

export interface Watch {
  readonly state: RunState;
  /** `lost`: the run goes on, and its events come later. */
  readonly connection: "open" | "lost" | "over";
  /** Why it cannot be watched at all. */
  readonly error: unknown;
}

interface Entry {
  watch: Watch;
  /** What has come and is not shown yet. */
  pending: Watch;
  readonly abort: AbortController;
  timer: ReturnType<typeof setTimeout> | undefined;
}

/** The node sends a comment every 15 s. */
const SILENCE_MS = 45_000;
const RETRY_MS: readonly number[] = [1000, 5000, 30_000];
/** Tokens come faster than anybody reads: shown together, this often. */
const SHOW_MS = 40;
const MOST = 8;

const entries = new Map<string, Entry>();
const listeners = new Set<() => void>();
let owner = readerNow();

onSessionChange(() => {
  if (sessionState().is === "signing-in" || owner === readerNow()) return;
  owner = readerNow();
  for (const runId of [...entries.keys()]) forget(runId);
});

/** Ask. Returns the run's id as soon as the node has begun. Throws `Refused` and `Unreachable`. */
export async function startRun(prompt: string, threadId?: string): Promise<string> {
  const abort = new AbortController();
  const body = JSON.stringify(threadId === undefined ? { prompt } : { prompt, thread_id: threadId });
  const response = await open("/v1/chorus", { method: "POST", body, signal: abort.signal });
  const runId = response.headers.get("run-id");
  if (runId === null) throw new Unreachable();
  const entry = addEntry(runId, abort);
  void follow(runId, entry, response);
  void queryClient.invalidateQueries({ queryKey: ["runs"] });
  return runId;
}

/** Watch a run that is under way. To watch it twice is to watch it once. */
export function watchRun(runId: string): void {
  if (!entries.has(runId)) void follow(runId, addEntry(runId, new AbortController()), undefined);
}

/** Watch it no longer. The run itself goes on. */
export function forget(runId: string): void {
  const entry = entries.get(runId);
  entry?.abort.abort();
  clearTimeout(entry?.timer);
  entries.delete(runId);
  notify();
}

export function useWatch(runId: string): Watch | undefined {
  return useSyncExternalStore(subscribe, () => entries.get(runId)?.watch);
}

async function follow(runId: string, entry: Entry, first: Response | undefined): Promise<void> {
  let response = first;
  let losses = 0;
  while (!entry.abort.signal.aborted && !isOver(entry.pending.state)) {
    try {
      response ??= await open(
        makeUrl("/v1/chorus/runs/{run_id}/events", { run_id: runId }, { after: entry.pending.state.lastNumber }),
        { signal: entry.abort.signal },
      );
      update(runId, entry, { connection: "open" });
      await consume(runId, entry, response);
      losses = 0;
    } catch (error) {
      if (entry.abort.signal.aborted) return;
      if (error instanceof Refused && error.status < 500) {
        update(runId, entry, { connection: "over", error });
        return;
      }
    }
    response = undefined;
    if (isOver(entry.pending.state)) break;
    update(runId, entry, { connection: "lost" });
    await delay((RETRY_MS[Math.min(losses, RETRY_MS.length - 1)] ?? 0) * (0.5 + Math.random()), entry.abort.signal);
    losses += 1;
  }
  if (!entry.abort.signal.aborted) await end(runId, entry);
}

async function consume(runId: string, entry: Entry, response: Response): Promise<void> {
  if (response.body === null) throw new Unreachable();
  for await (const message of readMessages(response.body, SILENCE_MS)) {
    const event = JSON.parse(message) as RunEvent;
    update(runId, entry, { state: reduce(entry.pending.state, event) });
    if (isEnding(event)) return;
  }
}

/** What is kept of the run is now the truth; then nothing has to be watched. */
async function end(runId: string, entry: Entry): Promise<void> {
  update(runId, entry, { connection: "over" });
  await Promise.all(
    [["run", runId], ["runs"]].map((queryKey) =>
      queryClient.invalidateQueries({ queryKey, exact: queryKey.length > 1 }),
    ),
  );
}

async function open(url: string, init: RequestInit): Promise<Response> {
  const headers: Record<string, string> = { accept: "text/event-stream" };
  const token = bearerToken();
  if (token !== undefined) headers.authorization = `Bearer ${token}`;
  if (init.body !== undefined) headers["content-type"] = "application/json";
  let response: Response;
  try {
    response = await fetch(url, { ...init, headers });
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw new Unreachable({ cause: error });
  }
  if (!response.ok) await readAnswer(response);
  return response;
}

function addEntry(runId: string, abort: AbortController): Entry {
  const watch: Watch = { state: EMPTY_RUN, connection: "open", error: null };
  const entry: Entry = { watch, pending: watch, abort, timer: undefined };
  entries.set(runId, entry);
  for (const known of [...entries.keys()].slice(0, -MOST)) forget(known);
  return entry;
}

function update(runId: string, entry: Entry, change: Partial<Watch>): void {
  entry.pending = { ...entry.pending, ...change };
  entry.timer ??= setTimeout(() => {
    entry.timer = undefined;
    entry.watch = entry.pending;
    if (entries.get(runId) === entry) notify();
  }, SHOW_MS);
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

function notify(): void {
  for (const listener of listeners) listener();
}

function readerNow(): string | undefined {
  const state = sessionState();
  return state.is === "signed-in" ? state.address : undefined;
}

/** Wait, but no longer than until the node is known to be there again. */
function delay(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      stopLive();
      resolve();
    };
    const timer = setTimeout(done, ms);
    const stopLive = live.onStatus(() => {
      if (live.isLive) done();
    });
    signal.addEventListener("abort", done, { once: true });
  });
}
