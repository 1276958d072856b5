/** From the ledger's events to what somebody should be told. Pure. */
import type { SpecView } from "@/api/queries";
import type { LedgerEvent } from "@/live/frames";

export type NoticeKind = "asked" | "approved" | "denied" | "expired" | "shared" | "received" | "rewarded";

export interface Notice {
  /** The same for the same occasion, however often it is told. */
  readonly id: string;
  readonly kind: NoticeKind;
  readonly atMs: number;
  readonly threadId?: string;
  readonly specId?: string;
  /** In uchoir. */
  readonly amount?: string;
  /** Who else is concerned. */
  readonly who?: string;
  readonly isRead: boolean;
}

export const MOST_NOTICES = 100;

/** What an event in `me`'s history means to `me`; undefined where there is nothing to tell. */
export function noticeOf(event: LedgerEvent, me: string): Notice | undefined {
  const text = (field: string): string => String(event[field] ?? "");
  const base = { atMs: event.time_ms, isRead: false };
  switch (event.type) {
    case "spec_submitted": {
      if (event.author === me || !(event.voters as string[] | undefined)?.includes(me)) return undefined;
      return asked(text("content_hash"), text("thread_id"), text("author"), event.time_ms);
    }
    case "spec_settled":
      return settled(event, me);
    case "transferred":
      if (event.to !== me || event.sender === me) return undefined;
      return { ...base, id: `event:${event.seq}`, kind: "received", amount: text("amount"), who: text("sender") };
    case "new_message_rewarded":
      if (event.author !== me) return undefined;
      return {
        ...base,
        id: `event:${event.seq}`,
        kind: "rewarded",
        amount: text("amount"),
        threadId: text("thread_id"),
      };
    default:
      return undefined;
  }
}

/** The notice of an open spec that awaits `me`'s vote. */
export function noticeOfSpec(spec: SpecView): Notice {
  return asked(spec.spec_id, spec.thread_id, spec.author, spec.created_at_ms);
}

function asked(specId: string, threadId: string, who: string, atMs: number): Notice {
  return { id: `asked:${specId}`, kind: "asked", atMs, specId, threadId, who, isRead: false };
}

function settled(event: LedgerEvent, me: string): Notice | undefined {
  const outcome = String(event.outcome);
  const base = {
    id: `settled:${String(event.spec_id)}`,
    atMs: event.time_ms,
    specId: String(event.spec_id),
    threadId: String(event.thread_id),
    isRead: false,
  };
  if (event.author === me) {
    // Who withdraws a spec knows it.
    return outcome === "approved" || outcome === "denied" || outcome === "expired"
      ? { ...base, kind: outcome, amount: String(event.to_author ?? "0") }
      : undefined;
  }
  const share = (event.to_approvers as Record<string, string> | undefined)?.[me];
  return share === undefined ? undefined : { ...base, kind: "shared", amount: share };
}

/** The request for a vote that an event ends: somebody voted, or the spec is closed. */
export function endedRequest(event: LedgerEvent, me: string): string | undefined {
  const isOwnVote = event.type === "approval_cast" && event.voter === me;
  return isOwnVote || event.type === "spec_settled" ? `asked:${String(event.spec_id)}` : undefined;
}

/** With the notice, newest first; one that is there already stays as it is. */
export function addNotice(notices: readonly Notice[], notice: Notice): readonly Notice[] {
  if (notices.some(({ id }) => id === notice.id)) return notices;
  return [notice, ...notices].sort((a, b) => b.atMs - a.atMs).slice(0, MOST_NOTICES);
}
