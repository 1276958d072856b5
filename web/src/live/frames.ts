/** The frames of the live connection (docs/reference/websocket.md). */
import type { AccountView, MessageView, SpecView, ThreadDetail } from "@/api/queries";

export const PROTOCOL = 1;

/** A thread's id, or null for the account. */
export type StreamKey = string | null;

export interface Outgoing {
  id: string;
  type: string;
  payload: object;
  thread_id?: string;
}

/** A frame from the node, and equally an update within a batch. `id` is that of the frame it answers. */
export interface Incoming {
  type: string;
  payload: Record<string, unknown>;
  id?: string;
  thread_id?: string;
  seq?: number;
}

export interface Welcome {
  protocol: number;
  chain_id: string;
  seq: number;
  address: string | null;
}

export interface Refusal {
  code: number;
  name: string;
  message: string;
  retry_after?: number | null;
}

/** An event of the ledger (docs/reference/events.md). */
export interface LedgerEvent {
  type: string;
  seq: number;
  time_ms: number;
  [field: string]: unknown;
}

/** What an update says: `event`, and newest quantities that replace what the client has. */
export interface News {
  after_seq: number;
  event: LedgerEvent;
  message?: MessageView;
  spec?: SpecView;
  balance?: string;
  message_count?: number;
  open_spec_count?: number;
  co_authors?: string[];
}

export type ThreadSnapshot = ThreadDetail & { has_older: boolean; is_cut: boolean };
export type AccountSnapshot = AccountView & { awaiting: SpecView[]; is_cut: boolean };

export type Update =
  | { is: "thread-sync"; threadId: string; thread: ThreadSnapshot }
  | { is: "account-sync"; account: AccountSnapshot }
  /** `threadId` null: news of the account. */
  | { is: "news"; type: string; threadId: StreamKey; seq: number; news: News }
  /** The node gives no more of it: it is unknown, or the right to it was lost. */
  | { is: "ended"; key: StreamKey; refusal: Refusal };

/** What answers does not keep to the protocol. */
export class Unexpected extends Error {
  override name = "Unexpected";
}

/** Reads a frame. Throws `Unexpected`. */
export function decodeFrame(raw: string): Incoming {
  let frame: unknown;
  try {
    frame = JSON.parse(raw);
  } catch (error) {
    throw new Unexpected("a frame that is no JSON", { cause: error });
  }
  return checkFrame(frame);
}

/** A batch's updates, each checked like a frame. */
export function updatesOf(batch: Incoming): Incoming[] {
  const { updates } = batch.payload;
  if (!Array.isArray(updates)) throw new Unexpected("a batch without updates");
  return updates.map(checkFrame);
}

function checkFrame(frame: unknown): Incoming {
  const { type, payload = {}, seq } = (frame ?? {}) as Partial<Incoming>;
  const isNumber = seq === undefined || Number.isSafeInteger(seq);
  if (typeof type !== "string" || typeof payload !== "object" || payload === null || !isNumber) {
    throw new Unexpected("a frame of another form");
  }
  return { ...(frame as Incoming), payload };
}
