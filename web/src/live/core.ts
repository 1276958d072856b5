/**
 * The live protocol from the browser's side, without I/O and clock: frames and times go in, frames and updates come
 * out. The same rules as `choir.client.live_core`. Times are milliseconds of any clock that only rises.
 */
import {
  decodeFrame,
  type Incoming,
  type Outgoing,
  PROTOCOL,
  type Refusal,
  type StreamKey,
  Unexpected,
  type Update,
  type Welcome,
} from "./frames";
import { Streams } from "./streams";

/** The node pings every 30 s; who says nothing for this long is gone. */
export const SILENCE_MS = 45_000;
export const HANDSHAKE_MS = 10_000;
/** A connection that held this long was a good one: the next loss is retried quickly again. */
export const STEADY_MS = 30_000;
export const RETRY_MS: readonly number[] = [1000, 5000, 30_000];

export type LiveState = "connecting" | "live" | "reconnecting";

/** The node does not take the session: sign in again. */
export class SessionRefused extends Error {
  override name = "SessionRefused";
}

interface Options {
  onUpdate: (update: Update) => void;
  /** Numbers in [0, 1): spreads out who comes back when. */
  random: () => number;
  now: number;
}

export class LiveCore {
  readonly outbox: Outgoing[] = [];
  readonly streams: Streams;
  state: LiveState = "connecting";
  address: string | null = null;
  private readonly random: () => number;
  private readonly withoutSnapshot = new Set<StreamKey>();
  private lastId = 0;
  private losses = 0;
  private chainId: string | undefined;
  private authId: string | undefined;
  private since: number;
  private heardAt: number;

  constructor({ onUpdate, random, now }: Options) {
    this.random = random;
    this.since = this.heardAt = now;
    this.streams = new Streams((type, payload, threadId) => this.send(type, payload, threadId), onUpdate);
  }

  /** Follow a thread, or the account (null). Twice is once. */
  follow(key: StreamKey, hasSnapshot: boolean, now: number): void {
    if (hasSnapshot && this.withoutSnapshot.delete(key)) this.streams.refresh(key, now);
    if (!hasSnapshot) this.withoutSnapshot.add(key);
    this.streams.subscribe(key, hasSnapshot, now);
  }

  unfollow(key: StreamKey): void {
    this.withoutSnapshot.delete(key);
    this.streams.unsubscribe(key);
  }

  /** The connection is open. With `token` the session speaks for its account; nothing is asked before the node took it. */
  connected(token: string | undefined, now: number): void {
    this.since = this.heardAt = now;
    this.authId = undefined;
    if (token !== undefined) this.authenticate(token);
  }

  /** Present a session: at the beginning, or a newer one of the same account. */
  authenticate(token: string): void {
    this.authId = this.send("auth", { token });
  }

  /** The connection is lost, or could not be made. Returns the milliseconds to wait before the next try. */
  disconnected(now: number): number {
    if (this.state === "live" && now - this.since >= STEADY_MS) this.losses = 0;
    const delay = RETRY_MS[Math.min(this.losses, RETRY_MS.length - 1)] ?? 0;
    this.losses += 1;
    this.outbox.length = 0;
    this.streams.stop();
    this.state = "reconnecting";
    return Math.round(delay * (0.5 + this.random()));
  }

  /** The way is free again (the browser says it is online): the next try is the first. */
  encourage(): void {
    this.losses = 0;
  }

  wakesAt(): number {
    return Math.min(this.silentAt(), this.streams.wakesAt());
  }

  /** What is due. True: the node has fallen silent, and the connection must be given up. */
  tick(now: number): boolean {
    if (now >= this.silentAt()) return true;
    this.streams.tick(now);
    return false;
  }

  /** A frame. Throws `Unexpected`, and `SessionRefused`. */
  received(raw: string, now: number): void {
    this.heardAt = now;
    const frame = decodeFrame(raw);
    if (frame.type === "ping") this.send("pong", frame.payload);
    else if (frame.type === "welcome") this.welcomed(frame.payload as unknown as Welcome, now);
    else if (frame.type === "error") this.refused(frame, now);
    else if (frame.type === "state_sync" || frame.type === "batch" || frame.seq !== undefined) {
      this.streams.receive(frame, now);
    }
  }

  private welcomed(welcome: Welcome, now: number): void {
    if (welcome.protocol !== PROTOCOL) throw new Unexpected(`protocol ${welcome.protocol}`);
    // The first greeting, before the session's, is not the one that counts.
    if (this.streams.isLive || (this.authId !== undefined && welcome.address === null)) return;
    if (welcome.address !== this.address) this.streams.forget();
    this.address = welcome.address;
    const isSameChain = this.chainId === undefined || this.chainId === welcome.chain_id;
    this.chainId = welcome.chain_id;
    this.since = now;
    this.state = "live";
    this.streams.start(welcome.seq, isSameChain, now, (key) => !this.withoutSnapshot.has(key));
  }

  private refused(frame: Incoming, now: number): void {
    const refusal = frame.payload as unknown as Refusal;
    const isAuth = frame.id !== undefined && frame.id === this.authId;
    const isOfStream = !isAuth && this.streams.refuse(frame, refusal, now);
    if (isAuth || (!isOfStream && refusal.name === "NotSignedIn")) throw new SessionRefused(refusal.message);
  }

  private silentAt(): number {
    return this.heardAt + (this.streams.isLive ? SILENCE_MS : HANDSHAKE_MS);
  }

  private send(type: string, payload: object, threadId?: string): string {
    this.lastId += 1;
    const id = String(this.lastId);
    this.outbox.push(threadId === undefined ? { id, type, payload } : { id, type, payload, thread_id: threadId });
    return id;
  }
}
