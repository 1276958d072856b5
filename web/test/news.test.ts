import { describe, expect, it } from "vitest";
import type { LedgerEvent } from "@/live/frames";
import { addNotice, endedRequest, MOST_NOTICES, type Notice, noticeOf } from "@/notices/notice";
import { KeyReader, PAIR_MS } from "@/shell/keys";
import { composeTitle } from "@/ui/useTitle";
import { type Marks, MOST_THREADS, markRead, meet, unreadOf } from "@/unread/marks";

const ME = "4zvwRjXUKGfvwnParsHAS3HuSVzV5cA4McphgmoCtajS";
const OTHER = "8qbHbw2BbbTHBW1sbeqakYXVKRQM8Ne7pLK7m6CVfeR";

const event = (type: string, fields: object): LedgerEvent => ({ type, seq: 7, time_ms: 70, thread_id: "t", ...fields });

describe("notices", () => {
  it.each([
    [
      "spec_submitted",
      { author: OTHER, content_hash: "h", voters: [ME] },
      { kind: "asked", id: "asked:h", who: OTHER },
    ],
    ["spec_submitted", { author: ME, content_hash: "h", voters: [OTHER] }, undefined],
    ["spec_submitted", { author: OTHER, content_hash: "h", voters: [OTHER] }, undefined],
    ["spec_settled", { author: ME, spec_id: "h", outcome: "approved" }, { kind: "approved", specId: "h" }],
    ["spec_settled", { author: ME, spec_id: "h", outcome: "denied" }, { kind: "denied" }],
    ["spec_settled", { author: ME, spec_id: "h", outcome: "expired" }, { kind: "expired" }],
    ["spec_settled", { author: ME, spec_id: "h", outcome: "withdrawn" }, undefined],
    [
      "spec_settled",
      { author: OTHER, spec_id: "h", outcome: "approved", to_approvers: { [ME]: "5" } },
      { kind: "shared", amount: "5" },
    ],
    ["spec_settled", { author: OTHER, spec_id: "h", outcome: "denied" }, undefined],
    ["transferred", { sender: OTHER, to: ME, amount: "9" }, { kind: "received", amount: "9", who: OTHER }],
    ["transferred", { sender: ME, to: OTHER, amount: "9" }, undefined],
    ["new_message_rewarded", { author: ME, amount: "3" }, { kind: "rewarded", amount: "3" }],
    ["thread_created", { creator: ME }, undefined],
  ])("of %s %o", (type, fields, expected) => {
    const notice = noticeOf(event(type, fields), ME);
    if (expected === undefined) expect(notice).toBeUndefined();
    else expect(notice).toMatchObject({ ...expected, atMs: 70, isRead: false });
  });

  it("asking for a vote end with it, and with the spec", () => {
    expect(endedRequest(event("approval_cast", { voter: ME, spec_id: "h" }), ME)).toBe("asked:h");
    expect(endedRequest(event("approval_cast", { voter: OTHER, spec_id: "h" }), ME)).toBeUndefined();
    expect(endedRequest(event("spec_settled", { spec_id: "h" }), ME)).toBe("asked:h");
  });

  it("stand newest first, each once, and never too many", () => {
    const make = (n: number): Notice => ({ id: `n${n}`, kind: "asked", atMs: n, isRead: false });
    const read = { ...make(2), isRead: true };
    expect(addNotice([read, make(1)], make(2))).toEqual([read, make(1)]);
    expect(addNotice([make(3), make(1)], make(2)).map(({ atMs }) => atMs)).toEqual([3, 2, 1]);
    const many = Array.from({ length: 150 }, (_, n) => make(n)).reduce(addNotice, [] as readonly Notice[]);
    expect(many.map(({ atMs }) => atMs)).toEqual(Array.from({ length: MOST_NOTICES }, (_, n) => 149 - n));
  });
});

describe("unread messages", () => {
  it("are those that came after what was read", () => {
    const marks = markRead({}, "t", 5);
    expect(unreadOf(marks, { thread_id: "t", message_count: 8 })).toBe(3);
    expect(unreadOf(marks, { thread_id: "t", message_count: 4 })).toBe(0);
    expect(unreadOf(marks, { thread_id: "never met", message_count: 8 })).toBe(0);
    expect(markRead(marks, "t", 3)).toBe(marks);
  });

  it("are none in a thread that is met for the first time", () => {
    const marks = meet({ a: 1 }, [
      { thread_id: "a", message_count: 9 },
      { thread_id: "b", message_count: 9 },
    ]);
    expect(marks).toEqual({ a: 1, b: 9 });
    expect(meet(marks, [{ thread_id: "b", message_count: 12 }])).toBe(marks);
  });

  it("are kept for the threads touched last", () => {
    let marks: Marks = {};
    for (let n = 0; n < MOST_THREADS + 2; n += 1) marks = markRead(marks, `t${n}`, 1);
    expect(Object.keys(marks)).toHaveLength(MOST_THREADS);
    expect(marks.t1).toBeUndefined();
    expect(marks.t2).toBe(1);
  });
});

describe("keys", () => {
  const reader = (): KeyReader => new KeyReader(["g t", "g h", "t", "?"]);
  const typed = (...presses: [string, number][]): (string | undefined)[] => {
    const keys = reader();
    return presses.map(([key, at]) => keys.press(key, at));
  };

  it("stand alone or in pairs", () => {
    expect(typed(["?", 0], ["t", 1], ["g", 2], ["t", 3], ["t", 4])).toEqual(["?", "t", undefined, "g t", "t"]);
  });

  it("of a pair are not waited for too long", () => {
    expect(typed(["g", 0], ["h", PAIR_MS], ["g", 5000], ["h", 5001 + PAIR_MS])).toEqual([
      undefined,
      "g h",
      undefined,
      undefined,
    ]);
  });

  it("that belong to no pair are what they are alone", () => {
    expect(typed(["g", 0], ["?", 1], ["g", 2], ["g", 3], ["h", 4])).toEqual([
      undefined,
      "?",
      undefined,
      undefined,
      "g h",
    ]);
  });
});

describe("the window's title", () => {
  it.each([
    ["Threads", 0, "Threads – Choir"],
    ["Threads", 3, "(3) Threads – Choir"],
    ["", 120, "(99+) Choir"],
  ])("of %s with %d news is %s", (view, news, title) => expect(composeTitle(view, news)).toBe(title));
});
