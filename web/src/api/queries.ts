/** What the app reads, each with the key under which it is cached. All keys of a thread begin with ["thread", id]. */
import { infiniteQueryOptions, QueryClient, queryOptions } from "@tanstack/react-query";
import { cutQuery } from "@/lib/query";
import { type Data, get } from "./client";
import { isRefusal, Refused } from "./errors";
import type { components } from "./schema";

type Schemas = components["schemas"];
export type ThreadView = Schemas["ThreadView"];
export type MessageView = Schemas["MessageView"];
export type SpecView = Schemas["SpecView"];
export type AccountView = Schemas["AccountView"];
export type HitView = Schemas["HitView"];
export type NetworkView = Data<"/v1/network", "get">;
export type Block = Data<"/v1/block/{height}", "get">;
export type ThreadPage = Data<"/v1/thread/{thread_id}", "get">;
export type ThreadDetail = ThreadPage;
export type AccountPage = AccountView;
export type SpecStatus = "open" | "approved" | "denied" | "expired" | "withdrawn";

const SECOND_MS = 1000;
const DAY_MS = 86_400 * SECOND_MS;
const THREAD_PAGE = 200;

export const queryClient = new QueryClient({
  defaultOptions: {
    queries: {
      // Without a network a request fails and says so, instead of waiting unseen for a better time.
      networkMode: "always",
      staleTime: 15 * SECOND_MS,
      // What was read stays readable while the node is gone.
      gcTime: DAY_MS,
      retry: (failures, error) => failures < 2 && !(error instanceof Refused && error.status < 500),
    },
    // Nothing that is signed is sent later behind its author's back.
    mutations: { networkMode: "always" },
  },
});

export const networkQuery = queryOptions({
  queryKey: ["network"],
  queryFn: ({ signal }) => get("/v1/network", { signal }),
});

export const genesisQuery = queryOptions({
  queryKey: ["genesis"],
  queryFn: ({ signal }) => get("/v1/genesis", { signal }),
  staleTime: Number.POSITIVE_INFINITY,
});

export const blockQuery = (height: number) =>
  queryOptions({
    queryKey: ["block", height],
    queryFn: ({ signal }) => get("/v1/block/{height}", { path: { height }, signal }),
    staleTime: Number.POSITIVE_INFINITY,
  });

/** A committed transaction: it does not change any more. */
export const transactionQuery = (txHash: string) =>
  queryOptions({
    queryKey: ["tx", txHash],
    queryFn: ({ signal }) => get("/v1/tx/{tx_hash}", { path: { tx_hash: txHash }, signal }),
    staleTime: Number.POSITIVE_INFINITY,
  });

export const threadsQuery = (coAuthor?: string) =>
  infiniteQueryOptions({
    queryKey: ["threads", coAuthor ?? null],
    queryFn: ({ pageParam, signal }) =>
      get("/v1/threads", { query: { cursor: pageParam, co_author: coAuthor ?? null, limit: 50 }, signal }),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next_cursor,
  });

/** Where a page of a thread is: after a cursor, at the beginning, or around a message. */
const BEGINNING = "";
const AROUND = "around:";

/** A part of a thread, from its beginning or around `message`; `threadParts.ts` has it grow upwards, or moves it. */
export const threadQuery = (threadId: string, message?: string) =>
  infiniteQueryOptions({
    queryKey: ["thread", threadId],
    queryFn: ({ pageParam, signal }) => readThreadPage(threadId, pageParam, signal),
    initialPageParam: message === undefined ? BEGINNING : AROUND + message,
    getNextPageParam: (page) => page.messages.next_cursor,
    // A long thread is not read again as a whole: `refreshThreadEnd` brings what is new.
    staleTime: 5 * 60 * SECOND_MS,
    refetchOnWindowFocus: false,
  });

export const messageQuery = (hash: string) =>
  queryOptions({
    queryKey: ["message", hash],
    queryFn: ({ signal }) => get("/v1/message/{content_hash}", { path: { content_hash: hash }, signal }),
    staleTime: 60 * SECOND_MS,
  });

export const citationsQuery = (hash: string) =>
  queryOptions({
    queryKey: ["citations", hash],
    queryFn: ({ signal }) => get("/v1/message/{content_hash}/citations", { path: { content_hash: hash }, signal }),
    staleTime: 60 * SECOND_MS,
  });

export const proofQuery = (hash: string) =>
  queryOptions({
    queryKey: ["proof", hash],
    queryFn: ({ signal }) => get("/v1/message/{content_hash}/proof", { path: { content_hash: hash }, signal }),
    staleTime: 60 * SECOND_MS,
  });

export interface SpecFilter {
  voter?: string;
  author?: string;
  thread_id?: string;
  status?: SpecStatus;
}

export const specsQuery = (filter: SpecFilter) =>
  infiniteQueryOptions({
    queryKey: ["specs", filter],
    queryFn: ({ pageParam, signal }) =>
      get("/v1/specs", { query: { ...filter, cursor: pageParam, limit: 50 }, signal }),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next_cursor,
  });

export const accountQuery = (address: string) =>
  infiniteQueryOptions({
    queryKey: ["account", address],
    queryFn: ({ pageParam, signal }) =>
      get("/v1/account/{address}", { path: { address }, query: { cursor: pageParam, limit: 50 }, signal }),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.history.next_cursor,
  });

export interface SearchFilter {
  q: string;
  thread_id?: string;
  author?: string;
  since_ms?: number;
  until_ms?: number;
  privacy?: string;
  k?: number;
}

export const searchQuery = (filter: SearchFilter) =>
  queryOptions({
    queryKey: ["search", filter],
    queryFn: async ({ signal }) => {
      const [q, isCut] = cutQuery(filter.q);
      const found = await get("/v1/search", { query: { ...filter, q }, signal });
      return { ...found, query_cut: found.query_cut || isCut };
    },
    enabled: filter.q.trim() !== "",
    staleTime: 60 * SECOND_MS,
    retry: (failures, error) => failures < 1 && !isRefusal(error, "RateLimited"),
  });

/** After something of an account's was committed: what it changed is read again. */
export async function refreshAfter(address: string, threadId?: string): Promise<void> {
  const keys = [["account", address], ["specs"], ["threads"], ["network"]];
  await Promise.all([
    ...keys.map((queryKey) => queryClient.invalidateQueries({ queryKey })),
    ...(threadId === undefined ? [] : [refreshThreadEnd(threadId)]),
  ]);
}

/** Reads the last page of a thread again: the newest messages and the thread's state, without the rest of a long one. */
export async function refreshThreadEnd(threadId: string): Promise<void> {
  const { queryKey } = threadQuery(threadId);
  const data = queryClient.getQueryData(queryKey);
  const place = data?.pageParams.at(-1) as string | undefined;
  if (data === undefined || place === undefined) return;
  const page = await readThreadPage(threadId, place);
  queryClient.setQueryData(queryKey, (now) =>
    now?.pageParams.at(-1) === place
      ? { ...now, pages: [...now.pages.slice(0, -1), withLater(page, now.pages.at(-1))] }
      : now,
  );
}

/** A page with the messages that were told live while it was on its way. */
function withLater(page: ThreadPage, before: ThreadPage | undefined): ThreadPage {
  const known = new Set(page.messages.items.map((message) => message.content_hash));
  const later = before?.messages.items.filter((message) => !known.has(message.content_hash)) ?? [];
  if (later.length === 0 || page.messages.next_cursor !== null) return page;
  return { ...page, messages: { ...page.messages, items: [...page.messages.items, ...later] } };
}

async function readThreadPage(threadId: string, place: string, signal?: AbortSignal): Promise<ThreadPage> {
  if (!place.startsWith(AROUND)) return getThread(threadId, { cursor: place === BEGINNING ? null : place }, signal);
  try {
    return await getThread(threadId, { around: place.slice(AROUND.length) }, signal);
  } catch (error) {
    // Not a message of this thread, or not of this chain: the thread itself may well be there.
    if (!isRefusal(error, "NotFound")) throw error;
    return getThread(threadId, {}, signal);
  }
}

interface ThreadPlace {
  cursor?: string | null;
  before?: string;
  around?: string;
}

export function getThread(threadId: string, place: ThreadPlace, signal?: AbortSignal): Promise<ThreadPage> {
  const path = { thread_id: threadId };
  return get("/v1/thread/{thread_id}", { path, query: { ...place, limit: THREAD_PAGE }, signal });
}

/** A thread's title, where the reader may know it. */
export const titleQuery = (threadId: string) =>
  queryOptions({
    queryKey: ["thread", threadId, "title"],
    queryFn: async ({ signal }) => {
      const page = await get("/v1/thread/{thread_id}", { path: { thread_id: threadId }, query: { limit: 1 }, signal });
      return page.title;
    },
    staleTime: 10 * 60 * SECOND_MS,
  });
