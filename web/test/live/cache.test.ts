import { QueryClient } from "@tanstack/react-query";
import { beforeEach, describe, expect, it } from "vitest";
import type { MessageView, SpecView, ThreadPage } from "@/api/queries";
import type { News, ThreadSnapshot, Update } from "@/live/frames";
import { Replayer } from "@/live/replay";

const THREAD = "a".repeat(32);
const ME = "4zvwRjXUKGfvwnParsHAS3HuSVzV5cA4McphgmoCtajS";
const OTHER = "8qbHbw2BbbTHBW1sbeqakYXVKRQM8Ne7pLK7m6CVfeR";
let cache: QueryClient;
let replayer: Replayer;

const hash = (n: number): string => String(n).padStart(64, "0");
const message = (n: number, more: Partial<MessageView> = {}): MessageView => ({
  access: "full",
  at_most_characters: null,
  author: OTHER,
  coherence: null,
  content_hash: hash(n),
  created_at_ms: n,
  is_erased: false,
  kind: "message",
  priors: [],
  privacy: "public",
  resonance: null,
  salt: "s",
  status: "approved",
  summary: null,
  text: `text ${n}`,
  thread_id: THREAD,
  tx_hash: hash(n + 1000),
  ...more,
});
const spec = (n: number, more: Partial<SpecView> = {}): SpecView => ({
  access: "full",
  approvals: [],
  author: OTHER,
  created_at_ms: n,
  denials: [],
  expires_at_ms: n + 1,
  priors: [],
  privacy: "public",
  spec_id: hash(n),
  stake: "1",
  status: "open",
  summary: null,
  text: "spec",
  thread_id: THREAD,
  voters: [ME],
  ...more,
});
const page = (items: MessageView[], next: string | null = null, more: Partial<ThreadPage> = {}): ThreadPage => ({
  balance: "5",
  co_authors: [ME],
  created_at_ms: 1,
  message_count: items.length,
  messages: { items, next_cursor: next },
  open_spec_count: 0,
  open_specs: [],
  privacy: "public",
  thread_id: THREAD,
  title: "text 1",
  ...more,
});
const news = (event: Record<string, unknown>, more: Partial<News> = {}, threadId: string | null = THREAD): Update => ({
  is: "news",
  type: "any",
  threadId,
  seq: 7,
  news: { after_seq: 6, event: { type: "", seq: 7, time_ms: 1, thread_id: THREAD, ...event }, ...more },
});
const sync = (items: MessageView[], more: Partial<ThreadSnapshot> = {}): Update => ({
  is: "thread-sync",
  threadId: THREAD,
  thread: { ...page(items), has_older: false, is_cut: false, ...more },
});

function load(...pages: ThreadPage[]): void {
  cache.setQueryData(["thread", THREAD], { pages, pageParams: pages.map(() => null) });
}
function shown(): string[] {
  return threadPages().flatMap((each) => each.messages.items.map((item) => item.text ?? ""));
}
function threadPages(): ThreadPage[] {
  return cache.getQueryData<{ pages: ThreadPage[] }>(["thread", THREAD])?.pages ?? [];
}
function specsOf(filter: object): SpecView[] {
  const data = cache.getQueryData<{ pages: { items: SpecView[] }[] }>(["specs", filter]);
  return data?.pages.flatMap((each) => each.items) ?? [];
}
const isInvalidated = (key: unknown[]): boolean | undefined => cache.getQueryState(key)?.isInvalidated;

beforeEach(() => {
  cache = new QueryClient({ defaultOptions: { queries: { staleTime: 60_000 } } });
  replayer = new Replayer(cache, () => ME);
});

describe("a thread's messages", () => {
  it("come at the end, once, with the thread's newest quantities on every page and list", () => {
    load(page([message(1)], "next"), page([message(2)]));
    const list = { pages: [{ items: [page([])], next_cursor: null }], pageParams: [null] };
    cache.setQueryData(["threads", null], list);
    const update = news(
      { type: "message_posted", content_hash: hash(3) },
      { message: message(3), balance: "9", message_count: 3 },
    );
    replayer.apply(update);
    replayer.apply(update);
    expect(shown()).toEqual(["text 1", "text 2", "text 3"]);
    expect(threadPages().map(({ balance, message_count }) => [balance, message_count])).toEqual([
      ["9", 3],
      ["9", 3],
    ]);
    expect(cache.getQueryData(["threads", null])).toMatchObject({ pages: [{ items: [{ balance: "9" }] }] });
  });

  it("wait for the end to be loaded", () => {
    load(page([message(1)], "next"));
    replayer.apply(news({ type: "message_posted" }, { message: message(9), message_count: 9 }));
    expect(shown()).toEqual(["text 1"]);
    expect(threadPages()[0]?.message_count).toBe(9);
  });

  it("are replaced where they are erased or made private, and what repeats them is read again", () => {
    load(page([message(1), message(2, { resonance: 0.5 })]));
    cache.setQueryData(["message", hash(2)], message(2));
    cache.setQueryData(["search", { q: "text" }], {});
    const erased = message(2, { is_erased: true, text: null });
    replayer.apply(news({ type: "message_erased", content_hash: hash(2) }, { message: erased }));
    expect(threadPages()[0]?.messages.items[1]).toMatchObject({ is_erased: true, text: null, resonance: 0.5 });
    expect(cache.getQueryData(["message", hash(2)])).toMatchObject({ is_erased: true });
    expect(isInvalidated(["search", { q: "text" }])).toBe(true);
  });

  it("are merged with a snapshot", () => {
    load(page([message(1), message(2)]));
    replayer.apply(sync([message(2, { text: "two" }), message(3)], { message_count: 3, has_older: true }));
    expect(shown()).toEqual(["text 1", "two", "text 3"]);
    expect(isInvalidated(["thread", THREAD])).toBe(false);
  });

  it("are read again where a snapshot leaves a hole", () => {
    load(page([message(1)]));
    replayer.apply(sync([message(8), message(9)], { has_older: true }));
    expect(shown()).toEqual(["text 1"]);
    expect(isInvalidated(["thread", THREAD])).toBe(true);
  });

  it("bring the title, when the first of them comes", () => {
    load(page([], null, { title: null }));
    replayer.apply(news({ type: "message_posted" }, { message: message(1) }));
    expect(isInvalidated(["thread", THREAD])).toBe(true);
  });

  it("are not lost when an older answer arrives after them", async () => {
    load(page([message(1)]));
    const stop = replayer.start();
    let arrive: (value: ThreadPage) => void = () => undefined;
    const reading = cache.fetchInfiniteQuery({
      queryKey: ["thread", THREAD],
      queryFn: () =>
        new Promise<ThreadPage>((resolve) => {
          arrive = resolve;
        }),
      initialPageParam: null,
      staleTime: 0,
    });
    await Promise.resolve();
    replayer.apply(news({ type: "message_posted" }, { message: message(2) }));
    arrive(page([message(1)]));
    await reading;
    await Promise.resolve();
    expect(shown()).toEqual(["text 1", "text 2"]);
    stop();
  });
});

describe("specs", () => {
  const asked = { voter: ME, status: "open" };
  const all = { thread_id: THREAD };
  beforeEach(() => {
    for (const filter of [asked, all, { author: ME }]) {
      cache.setQueryData(["specs", filter], { pages: [{ items: [], next_cursor: null }], pageParams: [null] });
    }
    load(page([message(1)]));
  });

  it("come into the lists that they belong to, and go when they are settled", () => {
    replayer.apply(news({ type: "spec_submitted" }, { spec: spec(5) }));
    replayer.apply(news({ type: "spec_submitted" }, { spec: spec(5) }, null));
    expect([asked, all, { author: ME }].map((filter) => specsOf(filter).length)).toEqual([1, 1, 0]);
    expect(threadPages()[0]?.open_specs).toHaveLength(1);
    const vote = { type: "approval_cast", spec_id: hash(5), voter: ME, approve: true };
    replayer.apply(news(vote));
    replayer.apply(news(vote));
    expect(specsOf(asked)[0]?.approvals).toEqual([ME]);
    expect(threadPages()[0]?.open_specs[0]?.approvals).toEqual([ME]);
    replayer.apply(news({ type: "spec_settled", spec_id: hash(5), outcome: "approved" }, { message: message(5) }));
    expect(specsOf(asked)).toEqual([]);
    expect(specsOf(all)).toMatchObject([{ status: "approved" }]);
    expect(threadPages()[0]?.open_specs).toEqual([]);
    expect(shown()).toEqual(["text 1", "text 5"]);
  });

  it("that were denied leave no message", () => {
    replayer.apply(news({ type: "spec_settled", spec_id: hash(5), outcome: "denied" }, { message: message(5) }));
    expect(shown()).toEqual(["text 1"]);
  });

  it("that a snapshot does not hold any more are read again", () => {
    replayer.apply(news({ type: "spec_submitted" }, { spec: spec(5) }));
    replayer.apply(sync([message(1)], { open_specs: [spec(6)] }));
    expect(isInvalidated(["specs", asked])).toBe(true);
    expect(isInvalidated(["specs", { author: ME }])).toBe(false);
  });
});

describe("what is patched", () => {
  it("is as old as it was, and is still to be read again if it was before", () => {
    const account = { address: ME, balance: "1", history: { items: [], next_cursor: null } };
    cache.setQueryData(["account", ME], { pages: [account], pageParams: [null] }, { updatedAt: 5 });
    replayer.apply(news({ type: "transferred", to: ME }, { balance: "8" }, null));
    expect(cache.getQueryData(["account", ME])).toMatchObject({ pages: [{ balance: "8" }] });
    expect(cache.getQueryState(["account", ME])?.dataUpdatedAt).toBe(5);
    void cache.invalidateQueries({ queryKey: ["account", ME] });
    replayer.apply(news({ type: "transferred", seq: 8, to: ME }, { balance: "9" }, null));
    expect(isInvalidated(["account", ME])).toBe(true);
  });

  it("is read again with a snapshot where it is stale", () => {
    const account = { address: ME, balance: "1", threads: [], history: { items: [], next_cursor: null } };
    cache.setQueryData(["account", ME], { pages: [account], pageParams: [null] }, { updatedAt: 5 });
    const snapshot = { ...account, balance: "4", threads: [{ share: "3" }], awaiting: [], is_cut: false };
    replayer.apply({ is: "account-sync", account: snapshot as never });
    expect(cache.getQueryData(["account", ME])).toMatchObject({ pages: [{ balance: "4", threads: [{ share: "3" }] }] });
    expect(isInvalidated(["account", ME])).toBe(true);
  });
});

describe("the account", () => {
  it("is read again when what it may take of a thread has changed", () => {
    cache.setQueryData(["account", ME], { pages: [], pageParams: [] });
    replayer.apply(news({ type: "message_posted" }, { message: message(2) }));
    expect(isInvalidated(["account", ME])).toBe(false);
    replayer.apply(news({ type: "spec_settled", spec_id: hash(5), outcome: "denied" }));
    expect(isInvalidated(["account", ME])).toBe(true);
  });

  it("has its newest balance, and its news first in its history, once", () => {
    const account = { address: ME, balance: "1", history: { items: [{ seq: 3 }], next_cursor: null } };
    cache.setQueryData(["account", ME], { pages: [account], pageParams: [null] });
    const update = news({ type: "transferred", to: ME }, { balance: "8" }, null);
    replayer.apply(update);
    replayer.apply(update);
    expect(cache.getQueryData(["account", ME])).toMatchObject({
      pages: [{ balance: "8", history: { items: [{ seq: 7 }, { seq: 3 }] } }],
    });
  });
});
