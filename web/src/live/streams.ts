/**
 * The order of what comes, per thread and for the account: nothing twice, no gap unnoticed. No I/O and no clock; the
 * same rules as `choir.client.live_streams`. Times are milliseconds of any clock that only rises.
 */
import { type Incoming, type News, type Refusal, type StreamKey, Unexpected, type Update, updatesOf } from "./frames";

export const ACK_UPDATES = 64;
export const ACK_MS = 1000;
/** An answer that does not come within this time is asked for once more. */
export const ANSWER_MS = 30_000;

export type Send = (type: string, payload: object, threadId?: string) => string;

interface Stream {
  /** The ledger's number of the last event that was let through. Undefined: the state is not known yet. */
  number: number | undefined;
  /** A gap was noticed, or nothing has come so far. */
  isMissing: boolean;
  unacked: number;
  askedId: string | undefined;
  askAt: number | undefined;
}

export class Streams {
  isLive = false;
  private readonly streams = new Map<StreamKey, Stream>();
  private ackAt: number | undefined;
  private lastSeq = 0;

  constructor(
    private readonly send: Send,
    private readonly tell: (update: Update) => void,
  ) {}

  /** Follow a thread or the account. Without `hasSnapshot` only what happens from now on. Twice is once. */
  subscribe(key: StreamKey, hasSnapshot: boolean, now: number): void {
    if (this.streams.has(key)) return;
    const stream: Stream = { number: undefined, isMissing: true, unacked: 0, askedId: undefined, askAt: undefined };
    this.streams.set(key, stream);
    if (!this.isLive) return;
    if (!hasSnapshot) stream.number = this.lastSeq;
    this.ask(key, stream, now);
  }

  unsubscribe(key: StreamKey): void {
    if (this.streams.delete(key) && this.isLive) this.send("unsubscribe", chosen(key));
  }

  /** Have the thread's whole state sent again. */
  refresh(key: StreamKey, now: number): void {
    const stream = this.streams.get(key);
    if (stream === undefined || stream.number === undefined) return;
    stream.number = undefined;
    if (this.isLive) this.ask(key, stream, now);
  }

  number(key: StreamKey): number | undefined {
    return this.streams.get(key)?.number;
  }

  /** The connection is live: go on from where each stream stopped; `lastSeq` is the end of the node's ledger. */
  start(lastSeq: number, isSameHistory: boolean, now: number, hasSnapshot: (key: StreamKey) => boolean): void {
    this.isLive = true;
    this.lastSeq = lastSeq;
    for (const [key, stream] of this.streams) {
      const isNew = stream.number === undefined;
      if (!isSameHistory || (stream.number ?? 0) > lastSeq) stream.number = undefined;
      else if (isNew && !hasSnapshot(key)) stream.number = lastSeq;
      this.ask(key, stream, now);
    }
  }

  /** The connection is lost. */
  stop(): void {
    this.isLive = false;
    this.ackAt = undefined;
    for (const stream of this.streams.values()) {
      stream.unacked = 0;
      stream.askedId = undefined;
      stream.askAt = undefined;
    }
  }

  /** Another account reads now: what was known may not be shown any more, or more may be. */
  forget(): void {
    for (const stream of this.streams.values()) stream.number = undefined;
  }

  /** When `tick` has something to do. */
  wakesAt(): number {
    const times = [...this.streams.values()].map((stream) => stream.askAt ?? Number.POSITIVE_INFINITY);
    return Math.min(this.ackAt ?? Number.POSITIVE_INFINITY, ...times);
  }

  /** Acknowledge what waits for it, and ask again for what was not answered. */
  tick(now: number): void {
    if (this.ackAt !== undefined && now >= this.ackAt) {
      this.ackAt = undefined;
      for (const [key, stream] of this.streams) this.ack(key, stream);
    }
    for (const [key, stream] of this.streams) {
      if (stream.askAt !== undefined && now >= stream.askAt) this.ask(key, stream, now);
    }
  }

  /** A `state_sync`, a `batch`, or a single update. */
  receive(frame: Incoming, now: number): void {
    const key = frame.thread_id ?? null;
    if (frame.type === "batch") this.receiveBatch(frame, key, now);
    else if (frame.type === "state_sync") this.receiveSync(frame, key, now);
    else this.receiveNews(frame, key, now);
  }

  /** An error about a stream: it ends, or is asked for again when the node says so. False: it is about none. */
  refuse(frame: Incoming, refusal: Refusal, now: number): boolean {
    const key = this.keyOf(frame);
    const stream = key === undefined ? undefined : this.streams.get(key);
    if (key === undefined || stream === undefined) return false;
    if (typeof refusal.retry_after === "number") {
      stream.askAt = now + refusal.retry_after * 1000;
      return true;
    }
    this.streams.delete(key);
    this.tell({ is: "ended", key, refusal });
    return true;
  }

  private keyOf(frame: Incoming): StreamKey | undefined {
    if (frame.thread_id !== undefined) return frame.thread_id;
    if (frame.id === undefined) return undefined;
    return [...this.streams].find(([, stream]) => stream.askedId === frame.id)?.[0];
  }

  private receiveSync(frame: Incoming, key: StreamKey, now: number): void {
    const stream = this.streams.get(key);
    const seq = seqOf(frame);
    if (stream === undefined || (stream.number !== undefined && seq < stream.number)) return;
    this.advance(key, stream, seq, now);
    const snapshot = frame.payload as never;
    this.tell(
      key === null ? { is: "account-sync", account: snapshot } : { is: "thread-sync", threadId: key, thread: snapshot },
    );
  }

  private receiveBatch(frame: Incoming, key: StreamKey, now: number): void {
    const updates = updatesOf(frame);
    for (const update of updates) this.receiveNews(update, key, now);
    const stream = this.streams.get(key);
    if (updates.length > 0 || stream === undefined || frame.id !== stream.askedId) return;
    // The answer where nothing was missing.
    stream.isMissing = false;
    stream.askAt = undefined;
  }

  private receiveNews(frame: Incoming, key: StreamKey, now: number): void {
    const stream = this.streams.get(key);
    const seq = seqOf(frame);
    if (stream?.number === undefined || seq <= stream.number) return;
    const news = frame.payload as unknown as News;
    if (!Number.isSafeInteger(news.after_seq)) throw new Unexpected(`a ${frame.type} without its after_seq`);
    if (news.after_seq <= stream.number) {
      this.advance(key, stream, seq, now);
      this.tell({ is: "news", type: frame.type, threadId: key, seq, news });
    } else if (!stream.isMissing) {
      stream.isMissing = true;
      this.ask(key, stream, now);
    }
  }

  private advance(key: StreamKey, stream: Stream, seq: number, now: number): void {
    stream.number = seq;
    this.lastSeq = Math.max(this.lastSeq, seq);
    stream.isMissing = false;
    stream.askAt = undefined;
    stream.unacked += 1;
    if (stream.unacked >= ACK_UPDATES) this.ack(key, stream);
    else this.ackAt ??= now + ACK_MS;
  }

  private ask(key: StreamKey, stream: Stream, now: number): void {
    if (stream.number === undefined) stream.isMissing = true;
    stream.askAt = now + ANSWER_MS;
    const from = stream.number === undefined ? {} : { from_seq: stream.number };
    stream.askedId = this.send("subscribe", { ...chosen(key), ...from });
  }

  private ack(key: StreamKey, stream: Stream): void {
    if (stream.unacked === 0) return;
    stream.unacked = 0;
    this.send("ack", { seq: stream.number }, key ?? undefined);
  }
}

function chosen(key: StreamKey): object {
  return key === null ? { threads: [], account: true } : { threads: [key] };
}

function seqOf(frame: Incoming): number {
  if (frame.seq === undefined) throw new Unexpected(`a ${frame.type} without its seq`);
  return frame.seq;
}
