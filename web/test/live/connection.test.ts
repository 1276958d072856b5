// @vitest-environment jsdom
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { HANDSHAKE_MS } from "@/live/core";

const THREAD = "a".repeat(32);

/** A socket that does what the test says, and no more. */
class FakeSocket {
  static readonly OPEN = 1;
  static all: FakeSocket[] = [];
  readyState = 0;
  readonly sent: { type: string; payload: Record<string, unknown> }[] = [];
  onopen: () => void = () => undefined;
  onmessage: (event: { data: string }) => void = () => undefined;
  onclose: (event: { code: number }) => void = () => undefined;

  constructor(readonly url: URL) {
    FakeSocket.all.push(this);
  }

  send(text: string): void {
    this.sent.push(JSON.parse(text));
  }

  close(): void {
    this.readyState = 3;
  }

  greet(seq = 10): void {
    this.readyState = FakeSocket.OPEN;
    this.onopen();
    this.tell("welcome", { protocol: 1, chain_id: "choir-test", seq, address: null });
  }

  tell(type: string, payload: object, fields: object = {}): void {
    this.onmessage({ data: JSON.stringify({ type, payload, ...fields }) });
  }

  break(code = 1006): void {
    this.readyState = 3;
    this.onclose({ code });
  }
}

const newest = (): FakeSocket => FakeSocket.all.at(-1) as FakeSocket;

beforeEach(() => {
  vi.useFakeTimers();
  vi.resetModules();
  FakeSocket.all = [];
  vi.stubGlobal("WebSocket", FakeSocket);
  vi.spyOn(Math, "random").mockReturnValue(0.5);
});

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

describe("the live connection", () => {
  it("goes to the node that serves the page, and subscribes for whoever follows, once", async () => {
    const { live } = await import("@/live/connection");
    const stops = [live.follow(THREAD, true), live.follow(THREAD, true)];
    live.start();
    live.start();
    expect(FakeSocket.all).toHaveLength(1);
    expect(newest().url.href).toBe(`${window.location.origin.replace("http", "ws")}/v1/ws`);
    newest().greet();
    expect(newest().sent).toMatchObject([{ type: "subscribe", payload: { threads: [THREAD] } }]);
    stops[0]?.();
    expect(newest().sent).toHaveLength(1);
    stops[1]?.();
    expect(newest().sent[1]).toMatchObject({ type: "unsubscribe" });
  });

  it("comes back after a loss, and waits for a slow node to open", async () => {
    const { live } = await import("@/live/connection");
    const states: string[] = [];
    live.onStatus(() => states.push(live.getStatus().is));
    live.start();
    newest().greet();
    // Quiet for long, but within what the node's pings allow.
    vi.advanceTimersByTime(40_000);
    newest().break();
    expect(FakeSocket.all).toHaveLength(1);
    vi.advanceTimersByTime(1000);
    expect(FakeSocket.all).toHaveLength(2);
    vi.advanceTimersByTime(HANDSHAKE_MS - 1);
    newest().greet();
    expect(FakeSocket.all).toHaveLength(2);
    expect(states).toEqual(["live", "reconnecting", "live"]);
  });

  it("gives up what never opens, and tries again later and later", async () => {
    const { live } = await import("@/live/connection");
    live.start();
    vi.advanceTimersByTime(HANDSHAKE_MS);
    expect(newest().readyState).toBe(3);
    vi.advanceTimersByTime(1000);
    expect(FakeSocket.all).toHaveLength(2);
    newest().break();
    vi.advanceTimersByTime(4999);
    expect(FakeSocket.all).toHaveLength(2);
    vi.advanceTimersByTime(1);
    expect(FakeSocket.all).toHaveLength(3);
    newest().break();
    vi.advanceTimersByTime(29_999);
    expect(FakeSocket.all).toHaveLength(3);
    window.dispatchEvent(new Event("online"));
    expect(FakeSocket.all).toHaveLength(4);
  });

  it("answers pings, acknowledges, and tells updates", async () => {
    const { live } = await import("@/live/connection");
    const seen: string[] = [];
    live.onUpdate((update) => seen.push(update.is));
    live.follow(THREAD, true);
    live.start();
    newest().greet();
    newest().tell("ping", { nonce: "n" });
    newest().tell("state_sync", {}, { thread_id: THREAD, seq: 10 });
    newest().tell("new_message", { after_seq: 10, event: {} }, { thread_id: THREAD, seq: 11 });
    vi.advanceTimersByTime(1000);
    expect(seen).toEqual(["thread-sync", "news"]);
    expect(newest().sent.map(({ type, payload }) => [type, payload.seq ?? payload.nonce])).toEqual([
      ["subscribe", undefined],
      ["pong", "n"],
      ["ack", 11],
    ]);
  });

  it("drops a connection that does not keep to the protocol", async () => {
    vi.spyOn(console, "warn").mockImplementation(() => undefined);
    const { live } = await import("@/live/connection");
    live.start();
    newest().greet();
    newest().onmessage({ data: "nonsense" });
    expect(newest().readyState).toBe(3);
    expect(live.getStatus().is).toBe("reconnecting");
  });
});
