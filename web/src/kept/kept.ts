/** Keeps what was read last, so that it is there at once, and without the node. It goes with the account that read it. */
import { type DehydratedState, dehydrate, hydrate, type Query, type QueryClient } from "@tanstack/react-query";
import { accountState, onAccountChange } from "@/keys/account";
import { keep as note, readKept as readNote } from "@/lib/kept";
import { dropKept, readKept, writeKept } from "./database";

/** The first word of the keys whose data are kept; the rest is read again when it is wanted. */
const KEPT = new Set(["threads", "thread", "message", "citations", "account", "specs", "network", "genesis"]);
const MOST_QUERIES = 120;
const MOST_CHARACTERS = 4_000_000;
const AFTER_MS = 2500;
const DAY_MS = 86_400_000;
/** Says at once whether the database has anything: who comes for the first time need not wait for it to open. */
const NOTE = "choir.kept";

/** Whether anything was kept in this browser. */
export function isKept(): boolean {
  return readNote(NOTE, false);
}

/** Bring back what the account in use has read. What is kept of another one is dropped. */
export async function restore(client: QueryClient): Promise<void> {
  const kept = await readKept();
  if (kept === undefined) return;
  if (kept.reader !== accountState().active?.address) return drop();
  hydrate(client, kept.state);
  // Nobody has told what happened meanwhile: all is read again when it is shown, but for threads, which read their end.
  await client.invalidateQueries({ predicate: ({ queryKey }) => queryKey[0] !== "thread", refetchType: "none" });
}

/** Keep what is read from now on. */
export function startKeeping(client: QueryClient): void {
  let reader = accountState().active?.address;
  let timer: ReturnType<typeof setTimeout> | undefined;
  // Not when the page goes: a browser does not finish then what takes time.
  client.getQueryCache().subscribe((event) => {
    if (event.type === "updated" && event.action.type === "success") timer ??= setTimeout(keep, AFTER_MS);
  });
  onAccountChange(() => {
    const now = accountState().active?.address;
    if (now === reader) return;
    reader = now;
    clearTimeout(timer);
    timer = undefined;
    void drop().catch(() => undefined);
  });
  const keep = (): void => {
    timer = undefined;
    // A browser that keeps nothing loses nothing but this.
    const state = choose(dehydrate(client, { shouldDehydrateQuery }));
    void writeKept({ reader, state }).then(
      () => note(NOTE, true),
      () => undefined,
    );
  };
}

async function drop(): Promise<void> {
  note(NOTE, false);
  await dropKept();
}

function shouldDehydrateQuery(query: Query): boolean {
  return query.state.status === "success" && KEPT.has(String(query.queryKey[0]));
}

/** The newest, within bounds of number, size and age. */
export function choose(state: DehydratedState, nowMs = Date.now()): DehydratedState {
  const newest = [...state.queries].sort((a, b) => b.state.dataUpdatedAt - a.state.dataUpdatedAt);
  let characters = 0;
  const queries = newest.slice(0, MOST_QUERIES).filter((query) => {
    if (nowMs - query.state.dataUpdatedAt > DAY_MS) return false;
    const size = JSON.stringify(query.state.data).length;
    if (characters + size > MOST_CHARACTERS) return false;
    characters += size;
    return true;
  });
  return { queries, mutations: [] };
}
