import { describe, expect, it } from "vitest";
import { HANDSHAKE_MS, LiveCore, SessionRefused, SILENCE_MS, STEADY_MS } from "@/live/core";
import { type StreamKey, Unexpected, type Update } from "@/live/frames";
import { ACK_MS, ACK_UPDATES, ANSWER_MS } from "@/live/streams";

const THREAD = "a".repeat(32);
const OTHER = "b".repeat(32);
const ADDRESS = "4zvwRjXUKGfvwnParsHAS3HuSVzV5cA4McphgmoCtajS";
const ASK = ["subscribe", { threads: [THREAD] }];

const askFrom = (from_seq: number) => ["subscribe", { threads: [THREAD], from_seq }];

interface Fields {
  id?: string;
  thread_id?: string;
  seq?: number;
}
const frame = (type: string, payload: unknown, fields: Fields = {}): string =>
  JSON.stringify({ type, payload, timestamp: 1, ...fields });
const welcome = (address: string | null = null, seq = 10, more: object = {}): string =>
  frame("welcome", { protocol: 1, chain_id: "choir-test", seq, address, ...more });
const sync = (seq: number, thread_id = THREAD): string => frame("state_sync", { thread_id }, { thread_id, seq });
const item = (seq: number, after_seq: number, type = "new_message") => ({
  type,
  seq,
  payload: { after_seq, event: { type: "message_posted" } },
});
const news = (seq: number, afterSeq: number, thread_id = THREAD): string => {
  const { type, payload } = item(seq, afterSeq);
  return frame(type, payload, { thread_id, seq });
};
const batch = (updates: unknown[], fields: Fields): string =>
  frame("batch", { updates }, { thread_id: THREAD, ...fields });

class Client {
  now = 1000;
  readonly updates: Update[] = [];
  readonly core = new LiveCore({ onUpdate: (update) => this.updates.push(update), random: () => 0.5, now: this.now });

  follow(key: StreamKey = THREAD, hasSnapshot = true): void {
    this.core.follow(key, hasSnapshot, this.now);
  }

  connect(token?: string, greeting = welcome()): this {
    this.core.connected(token, this.now);
    this.receive(greeting);
    return this;
  }

  receive(...frames: string[]): void {
    for (const raw of frames) this.core.received(raw, this.now);
  }

  sent(): unknown[] {
    return this.core.outbox
      .splice(0)
      .map(({ type, payload, thread_id }) => (thread_id ? [type, payload, thread_id] : [type, payload]));
  }

  /** What was told since the last look: numbers of news, words for the rest. */
  told(): unknown[] {
    return this.updates.splice(0).map((update) => (update.is === "news" ? update.seq : update.is));
  }

  wait(ms: number): boolean {
    this.now += ms;
    return this.core.tick(this.now);
  }

  lose(): number {
    return this.core.disconnected(this.now);
  }
}

function following(number: number): Client {
  const client = new Client();
  client.follow();
  client.connect();
  client.receive(sync(number));
  client.wait(ACK_MS);
  client.sent();
  client.told();
  return client;
}

describe("greeting", () => {
  it("subscribes to what was asked for before, when the node greets", () => {
    const client = new Client();
    client.follow();
    client.core.connected(undefined, client.now);
    expect(client.sent()).toEqual([]);
    client.receive(welcome());
    expect(client.sent()).toEqual([ASK]);
    expect(client.core.state).toBe("live");
  });

  it("asks nothing with a session before the node knows whose it is", () => {
    const client = new Client();
    client.follow();
    client.connect("secret");
    expect(client.sent()).toEqual([["auth", { token: "secret" }]]);
    client.receive(welcome(ADDRESS));
    expect(client.sent()).toEqual([ASK]);
    expect(client.core.address).toBe(ADDRESS);
  });

  it("throws when the session is refused, or has ended", () => {
    const client = new Client();
    client.core.connected("old", client.now);
    const id = client.core.outbox[0]?.id ?? "";
    const refusal = { code: 311, name: "NotSignedIn", message: "The session has ended." };
    expect(() => client.receive(frame("error", refusal, { id }))).toThrow(SessionRefused);
    expect(() => following(10).receive(frame("error", refusal))).toThrow(SessionRefused);
  });

  it.each([
    "hello",
    "[]",
    "null",
    '"text"',
    welcome(null, 10, { protocol: 2 }),
    frame("new_message", { after_seq: "x" }, { thread_id: THREAD, seq: 11 }),
    frame("new_message", "x", { thread_id: THREAD, seq: 11 }),
    frame("state_sync", {}, { thread_id: THREAD }),
    batch([{ type: "new_message", payload: {} }], { seq: 11 }),
    frame("batch", { updates: 3 }, { thread_id: THREAD, seq: 11 }),
  ])("tells what does not keep to the protocol: %s", (raw) => {
    expect(() => following(10).receive(raw)).toThrow(Unexpected);
  });

  it("begins anew for another account: what is known may not be its to know", () => {
    const client = following(10);
    client.lose();
    client.connect("secret");
    client.receive(welcome(ADDRESS));
    expect(client.sent()).toEqual([["auth", { token: "secret" }], ASK]);
  });
});

describe("order", () => {
  it("lets updates through once and in order", () => {
    const client = following(10);
    client.receive(news(12, 10), news(12, 10), news(15, 12), news(12, 10));
    expect(client.told()).toEqual([12, 15]);
    expect(client.sent()).toEqual([]);
  });

  it("has a gap filled, and asks for it once", () => {
    const client = following(10);
    client.receive(news(14, 12), news(17, 14));
    expect(client.sent()).toEqual([askFrom(10)]);
    expect(client.told()).toEqual([]);
    client.receive(news(12, 10), news(14, 12), news(17, 14), news(18, 17));
    expect(client.told()).toEqual([12, 14, 17, 18]);
  });

  it("asks again for a gap that nobody fills", () => {
    const client = following(10);
    client.receive(news(14, 12));
    client.sent();
    client.wait(ANSWER_MS - 1);
    expect(client.sent()).toEqual([]);
    client.wait(1);
    expect(client.sent()).toEqual([askFrom(10)]);
  });

  it("takes a snapshot in place of what was missing, and ignores an old one", () => {
    const client = following(10);
    client.receive(news(14, 12), sync(14), news(14, 12), news(16, 14), sync(15), news(17, 16));
    expect(client.told()).toEqual(["thread-sync", 16, 17]);
  });

  it("takes a batch as its updates, and notices a gap within", () => {
    const client = following(10);
    client.receive(batch([item(9, 8), item(12, 10), item(13, 12)], { seq: 13 }));
    expect(client.told()).toEqual([12, 13]);
    client.receive(batch([item(14, 13), item(19, 16)], { seq: 19 }));
    expect(client.told()).toEqual([14]);
    expect(client.sent()).toEqual([askFrom(14)]);
  });

  it("keeps a number for each thread", () => {
    const client = following(10);
    client.follow(OTHER);
    client.receive(sync(20, OTHER), news(12, 10), news(21, 20, OTHER), news(13, 12));
    expect(client.told()).toEqual(["thread-sync", 12, 21, 13]);
  });

  it("tells nothing of what is not followed", () => {
    const client = following(10);
    client.core.unfollow(THREAD);
    expect(client.sent()).toEqual([["unsubscribe", { threads: [THREAD] }]]);
    client.receive(news(12, 10), sync(13));
    expect(client.told()).toEqual([]);
  });

  it("has the account as a stream without a thread", () => {
    const client = new Client();
    client.follow(null);
    client.connect();
    expect(client.sent()).toEqual([["subscribe", { threads: [], account: true }]]);
    client.receive(frame("state_sync", {}, { seq: 10 }), frame("settled", item(13, 10).payload, { seq: 13 }));
    expect(client.updates).toMatchObject([{ is: "account-sync" }, { is: "news", threadId: null, seq: 13 }]);
  });
});

describe("without a snapshot", () => {
  it("asks for what comes from now on", () => {
    const client = new Client();
    client.follow(THREAD, false);
    client.connect();
    expect(client.sent()).toEqual([askFrom(10)]);
    client.follow(OTHER, false);
    expect(client.sent()).toEqual([["subscribe", { threads: [OTHER], from_seq: 10 }]]);
  });

  it("asks for the snapshot when somebody wants it after all", () => {
    const client = new Client();
    client.follow(THREAD, false);
    client.connect();
    client.sent();
    client.follow(THREAD, true);
    expect(client.sent()).toEqual([ASK]);
  });

  it("goes on from its number after a loss", () => {
    const client = new Client();
    client.follow(THREAD, false);
    client.connect();
    client.receive(news(12, 9));
    client.lose();
    client.sent();
    client.connect(undefined, welcome(null, 30));
    expect(client.sent()).toEqual([askFrom(12)]);
  });
});

describe("losses", () => {
  it("goes on from where each stream stopped", () => {
    const client = following(10);
    client.lose();
    client.connect(undefined, welcome(null, 20));
    const asked = client.core.outbox.at(-1)?.id ?? "";
    expect(client.sent()).toEqual([askFrom(10)]);
    client.receive(batch([], { id: asked, seq: 10 }), news(11, 10));
    client.wait(ANSWER_MS);
    expect(client.told()).toEqual([11]);
    expect(client.sent()).toEqual([["ack", { seq: 11 }, THREAD]]);
  });

  it("begins anew where the node has another history", () => {
    const client = following(10);
    client.lose();
    client.connect(undefined, welcome(null, 5));
    expect(client.sent()).toEqual([ASK]);
    client.receive(sync(5));
    client.lose();
    client.connect(undefined, welcome(null, 50, { chain_id: "another" }));
    expect(client.sent()).toEqual([ASK]);
  });

  it("waits 1, 5, 30 s with jitter, and begins anew after a good connection", () => {
    const client = new Client();
    expect([client.lose(), client.lose(), client.lose(), client.lose()]).toEqual([1000, 5000, 30_000, 30_000]);
    client.connect();
    client.wait(STEADY_MS);
    expect(client.lose()).toBe(1000);
    const spread = [0, 0.999].map((random) => {
      return new LiveCore({ onUpdate: () => undefined, random: () => random, now: 0 }).disconnected(0);
    });
    expect(spread).toEqual([500, 1499]);
  });

  it("gives a silent node up", () => {
    const client = new Client();
    client.core.connected(undefined, client.now);
    expect(client.wait(HANDSHAKE_MS - 1)).toBe(false);
    expect(client.wait(1)).toBe(true);
    const later = following(10);
    expect(later.wait(SILENCE_MS)).toBe(true);
    expect(later.core.wakesAt()).toBeLessThanOrEqual(later.now);
  });
});

describe("courtesy", () => {
  it("answers a ping with its nonce", () => {
    const client = following(10);
    client.receive(frame("ping", { nonce: "n1" }));
    expect(client.sent()).toEqual([["pong", { nonce: "n1" }]]);
  });

  it("acknowledges after a while, and at once after many", () => {
    const client = following(10);
    client.receive(news(11, 10));
    expect(client.core.wakesAt()).toBe(client.now + ACK_MS);
    client.wait(ACK_MS);
    expect(client.sent()).toEqual([["ack", { seq: 11 }, THREAD]]);
    for (let seq = 12; seq < 12 + ACK_UPDATES; seq += 1) client.receive(news(seq, seq - 1));
    expect(client.sent()).toEqual([["ack", { seq: 11 + ACK_UPDATES }, THREAD]]);
  });

  it("asks again when the node says so, and stops where it says no", () => {
    const client = following(10);
    const refusal = { code: 309, name: "TooManyRequests", message: "Slow.", retry_after: 2 };
    client.receive(frame("error", refusal, { thread_id: THREAD }));
    client.wait(2000);
    expect(client.sent()).toEqual([askFrom(10)]);
    const end = { code: 312, name: "NotPermitted", message: "No longer yours to read." };
    client.receive(frame("error", end, { thread_id: THREAD }));
    expect(client.updates).toEqual([{ is: "ended", key: THREAD, refusal: end }]);
    client.receive(news(12, 10));
    expect(client.updates).toHaveLength(1);
  });
});
