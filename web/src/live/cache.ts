/** What the live connection tells, put into what the app has read: threads, specs, accounts. */
import type { InfiniteData, QueryClient } from "@tanstack/react-query";
import type { AccountPage, MessageView, SpecFilter, SpecView, ThreadPage, ThreadView } from "@/api/queries";
import type { AccountSnapshot, LedgerEvent, News, ThreadSnapshot, Update } from "./frames";

type Page<T> = { items: T[]; next_cursor?: string | null };
type Pages<T> = InfiniteData<T, string | null>;
type Quantities = Partial<Pick<ThreadView, "balance" | "message_count" | "open_spec_count" | "co_authors">>;

/** What is older than this is read again after a loss. */
const STALE_MS = 15_000;
const CHANGES_SHARES = new Set(["spec_settled", "divested", "prior_rewarded", "co_author_added"]);

/** Apply one update. Whatever cannot be patched is read again. */
export function applyUpdate(cache: QueryClient, update: Update, me: string | null): void {
  if (update.is === "thread-sync") syncThread(cache, update.thread);
  else if (update.is === "account-sync") syncAccount(cache, update.account);
  else if (update.is === "news" && update.threadId !== null) tellThread(cache, update.threadId, update.news, me);
  else if (update.is === "news" && me !== null) tellAccount(cache, me, update.news);
}

function syncThread(cache: QueryClient, thread: ThreadSnapshot): void {
  const threadId = thread.thread_id;
  setQuantities(cache, threadId, pickQuantities(thread));
  let isWhole = true;
  patch<Pages<ThreadPage>>(cache, ["thread", threadId], (data) => {
    if (data === undefined) return undefined;
    const merged = mergeSnapshot(data, thread);
    isWhole = merged !== undefined;
    return merged ?? data;
  });
  for (const message of thread.messages.items) setMessage(cache, message);
  if (!isWhole) void cache.invalidateQueries({ queryKey: ["thread", threadId], exact: true });
  for (const spec of thread.open_specs) upsertSpec(cache, spec);
  if (!thread.is_cut) dropClosed(cache, thread);
}

/** The pages with the snapshot's newest messages; undefined where some are missing in between. */
function mergeSnapshot(data: Pages<ThreadPage>, thread: ThreadSnapshot): Pages<ThreadPage> | undefined {
  const newest = thread.messages.items;
  let merged = replaceMessages(data, newest);
  const known = new Set(merged.pages.flatMap((page) => page.messages.items.map((message) => message.content_hash)));
  const missing = newest.filter((message) => !known.has(message.content_hash));
  if (missing.length === newest.length && thread.has_older && hasAll(merged)) return undefined;
  for (const message of missing) merged = append(merged, message);
  const open_specs = thread.is_cut ? undefined : thread.open_specs;
  return withEachPage(merged, (page) => (open_specs === undefined ? page : { ...page, open_specs }));
}

function tellThread(cache: QueryClient, threadId: string, news: News, me: string | null): void {
  const { event, message, spec } = news;
  setQuantities(cache, threadId, pickQuantities(news));
  if (message !== undefined) placeMessage(cache, threadId, message, event);
  if (spec !== undefined) upsertSpec(cache, spec);
  if (event.type === "approval_cast") castVote(cache, event);
  if (event.type === "spec_settled") settleSpec(cache, event);
  if (event.type === "co_author_added" && event.co_author === me) invalidate(cache, ["threads"]);
  // What the account may take of the thread has changed with it.
  if (me !== null && CHANGES_SHARES.has(event.type)) invalidate(cache, ["account", me]);
  if (event.type === "privacy_changed" || event.type === "message_erased") {
    invalidate(cache, ["search"], ["citations"], ["message", String(event.content_hash)]);
  }
}

function placeMessage(cache: QueryClient, threadId: string, message: MessageView, event: LedgerEvent): void {
  const isNew = event.type === "message_posted" || event.outcome === "approved";
  let isFirst = false;
  patch<Pages<ThreadPage>>(cache, ["thread", threadId], (data) => {
    if (data === undefined) return undefined;
    isFirst = data.pages[0]?.title === null && message.text !== null && message.privacy !== "encrypted";
    const replaced = replaceMessages(data, [message]);
    return isNew ? append(replaced, message) : replaced;
  });
  setMessage(cache, message);
  // The title is the opening message's first line.
  if (isFirst) invalidate(cache, ["thread", threadId], ["threads"]);
}

function syncAccount(cache: QueryClient, snapshot: AccountSnapshot): void {
  const { awaiting, is_cut: _, history: __, ...account } = snapshot;
  patch<Pages<AccountPage>>(cache, ["account", account.address], (data) =>
    data === undefined ? undefined : withEachPage(data, (page) => ({ ...page, ...account })),
  );
  for (const spec of awaiting) upsertSpec(cache, spec);
  // News of one's threads is told from now on: what came after the list was read, and before now, nobody tells.
  invalidate(cache, ["threads", account.address]);
  // The rest, where it is older than it should be: while the connection was lost nobody told what became of it.
  for (const queryKey of [["account", account.address], ["specs"], ["threads"]]) {
    void cache.invalidateQueries({ queryKey, predicate: (query) => query.isStaleByTime(STALE_MS) });
  }
}

function tellAccount(cache: QueryClient, me: string, { event, balance, spec }: News): void {
  patch<Pages<AccountPage>>(cache, ["account", me], (data) =>
    data === undefined ? undefined : withEvent(data, event, balance),
  );
  if (spec !== undefined) upsertSpec(cache, spec);
  if (event.type === "approval_cast") castVote(cache, event);
  if (event.type === "spec_settled") settleSpec(cache, event);
  if (event.type === "thread_created" || event.type === "co_author_added") {
    invalidate(cache, ["threads"], ["account", me]);
  }
}

function withEvent(data: Pages<AccountPage>, event: LedgerEvent, balance: string | undefined): Pages<AccountPage> {
  const pages = data.pages.map((page, at) => {
    const { items } = page.history;
    const isKnown = at > 0 || items.some((item) => item.seq === event.seq);
    const history = isKnown ? page.history : { ...page.history, items: [{ ...event }, ...items] };
    return { ...page, history, ...(balance === undefined ? {} : { balance }) };
  });
  return { ...data, pages };
}

// Threads

function pickQuantities({ balance, message_count, open_spec_count, co_authors }: Quantities): Quantities {
  const all = { balance, message_count, open_spec_count, co_authors };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
}

function setQuantities(cache: QueryClient, threadId: string, quantities: Quantities): void {
  patch<Pages<ThreadPage>>(cache, ["thread", threadId], (data) =>
    data === undefined ? undefined : withEachPage(data, (page) => ({ ...page, ...quantities })),
  );
  patchAll<Pages<Page<ThreadView>>>(cache, ["threads"], (data) =>
    data === undefined
      ? undefined
      : withItems(data, (items) =>
          items.map((thread) => (thread.thread_id === threadId ? { ...thread, ...quantities } : thread)),
        ),
  );
}

function replaceMessages(data: Pages<ThreadPage>, messages: readonly MessageView[]): Pages<ThreadPage> {
  const byHash = new Map(messages.map((message) => [message.content_hash, message]));
  return withEachPage(data, (page) => {
    const items = page.messages.items.map((message) => merged(message, byHash.get(message.content_hash)));
    return { ...page, messages: { ...page.messages, items } };
  });
}

/** The newer view of a message. Quantities that are not computed yet do not take away those that are known. */
function merged(known: MessageView, news: MessageView | undefined): MessageView {
  if (news === undefined) return known;
  return { ...news, resonance: news.resonance ?? known.resonance, coherence: news.coherence ?? known.coherence };
}

/** The message at the end, where the end is loaded and it is not there yet. */
function append(data: Pages<ThreadPage>, message: MessageView): Pages<ThreadPage> {
  const isThere = data.pages.some((page) =>
    page.messages.items.some(({ content_hash }) => content_hash === message.content_hash),
  );
  if (isThere || !hasAll(data)) return data;
  const pages = data.pages.map((page, at) =>
    at < data.pages.length - 1
      ? page
      : { ...page, messages: { ...page.messages, items: [...page.messages.items, message] } },
  );
  return { ...data, pages };
}

function hasAll(data: Pages<ThreadPage>): boolean {
  return data.pages.at(-1)?.messages.next_cursor == null;
}

function setMessage(cache: QueryClient, message: MessageView): void {
  patch<MessageView>(cache, ["message", message.content_hash], (known) =>
    known === undefined ? undefined : merged(known, message),
  );
}

// Specs

/** Specs of the thread that are shown as open and are not any more: what became of them is read again. */
function dropClosed(cache: QueryClient, thread: ThreadSnapshot): void {
  const open = new Set(thread.open_specs.map(({ spec_id }) => spec_id));
  const isClosed = (spec: SpecView): boolean =>
    spec.thread_id === thread.thread_id && spec.status === "open" && !open.has(spec.spec_id);
  void cache.invalidateQueries({
    queryKey: ["specs"],
    predicate: ({ state }) =>
      (state.data as Pages<Page<SpecView>> | undefined)?.pages.some((page) => page.items.some(isClosed)) === true,
  });
}

function upsertSpec(cache: QueryClient, spec: SpecView): void {
  for (const [key] of cache.getQueriesData<Pages<Page<SpecView>>>({ queryKey: ["specs"] })) {
    const filter = (key[1] ?? {}) as SpecFilter;
    patch<Pages<Page<SpecView>>>(cache, key, (data) => (data === undefined ? undefined : withSpec(data, spec, filter)));
  }
  patch<Pages<ThreadPage>>(cache, ["thread", spec.thread_id], (data) =>
    data === undefined
      ? undefined
      : withEachPage(data, (page) => {
          const others = page.open_specs.filter(({ spec_id }) => spec_id !== spec.spec_id);
          return { ...page, open_specs: spec.status === "open" ? [...others, spec] : others };
        }),
  );
}

function withSpec(data: Pages<Page<SpecView>>, spec: SpecView, filter: SpecFilter): Pages<Page<SpecView>> {
  const isThere = data.pages.some((page) => page.items.some(({ spec_id }) => spec_id === spec.spec_id));
  if (isThere) {
    return withItems(data, (items) => items.map((item) => (item.spec_id === spec.spec_id ? spec : item)));
  }
  if (!isWanted(spec, filter)) return data;
  const pages = data.pages.map((page, at) => (at > 0 ? page : { ...page, items: [spec, ...page.items] }));
  return { ...data, pages };
}

function isWanted(spec: SpecView, { voter, author, thread_id, status }: SpecFilter): boolean {
  return (
    (voter === undefined || spec.voters.includes(voter)) &&
    (author === undefined || spec.author === author) &&
    (thread_id === undefined || spec.thread_id === thread_id) &&
    (status === undefined || spec.status === status)
  );
}

function castVote(cache: QueryClient, event: LedgerEvent): void {
  const voter = String(event.voter);
  patchSpec(cache, String(event.spec_id), String(event.thread_id), (spec) => {
    const side = event.approve === true ? "approvals" : "denials";
    return spec[side].includes(voter) ? spec : { ...spec, [side]: [...spec[side], voter] };
  });
}

function settleSpec(cache: QueryClient, event: LedgerEvent): void {
  const specId = String(event.spec_id);
  patchSpec(cache, specId, String(event.thread_id), (spec) => ({ ...spec, status: String(event.outcome) }));
  for (const [key] of cache.getQueriesData<Pages<Page<SpecView>>>({ queryKey: ["specs"] })) {
    const { status } = (key[1] ?? {}) as SpecFilter;
    if (status === undefined || status === event.outcome) continue;
    patch<Pages<Page<SpecView>>>(cache, key, (data) =>
      data === undefined ? undefined : withItems(data, (items) => items.filter(({ spec_id }) => spec_id !== specId)),
    );
  }
}

/** A change of a spec, wherever it is shown; among a thread's open ones only for as long as it is open. */
function patchSpec(cache: QueryClient, specId: string, threadId: string, change: (spec: SpecView) => SpecView): void {
  const changed = (items: readonly SpecView[]): SpecView[] =>
    items.map((spec) => (spec.spec_id === specId ? change(spec) : spec));
  patchAll<Pages<Page<SpecView>>>(cache, ["specs"], (data) =>
    data === undefined ? undefined : withItems(data, changed),
  );
  patch<Pages<ThreadPage>>(cache, ["thread", threadId], (data) =>
    data === undefined
      ? undefined
      : withEachPage(data, (page) => ({
          ...page,
          open_specs: changed(page.open_specs).filter(({ status }) => status === "open"),
        })),
  );
}

// Queries

/**
 * Change what is cached. What was to be read again still is: news of one thing does not make all of an answer fresh.
 */
function patch<T>(
  cache: QueryClient,
  queryKey: readonly unknown[],
  change: (data: T | undefined) => T | undefined,
): void {
  const query = cache.getQueryCache().find({ queryKey, exact: true });
  if (query?.state.data === undefined) return;
  const { dataUpdatedAt, isInvalidated } = query.state;
  cache.setQueryData<T>(queryKey, change, { updatedAt: dataUpdatedAt });
  if (isInvalidated) query.invalidate();
}

function patchAll<T>(
  cache: QueryClient,
  queryKey: readonly unknown[],
  change: (data: T | undefined) => T | undefined,
): void {
  for (const query of cache.getQueryCache().findAll({ queryKey })) patch(cache, query.queryKey, change);
}

// Pages

function withEachPage<T>(data: Pages<T>, change: (page: T) => T): Pages<T> {
  return { ...data, pages: data.pages.map(change) };
}

function withItems<T>(data: Pages<Page<T>>, change: (items: T[]) => T[]): Pages<Page<T>> {
  return withEachPage(data, (page) => ({ ...page, items: change(page.items) }));
}

function invalidate(cache: QueryClient, ...keys: readonly (readonly unknown[])[]): void {
  for (const queryKey of keys) void cache.invalidateQueries({ queryKey });
}
