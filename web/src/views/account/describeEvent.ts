/** An event of the ledger in words, as the account sees it (docs/reference/events.md). */
import { shortAddress } from "@/ui/format";

export interface AccountEvent {
  type: string;
  seq: number;
  time_ms: number;
  [field: string]: unknown;
}

interface Description {
  words: string;
  /** What it changed in the account's wallet, in uchoir. */
  change?: bigint;
}

const OUTCOMES: Record<string, string> = {
  approved: "was approved",
  denied: "was denied",
  expired: "expired",
  withdrawn: "was withdrawn",
};

export function describeEvent(event: AccountEvent, address: string): Description {
  const text = (field: string): string => String(event[field] ?? "");
  const amount = (field: string): bigint => BigInt(text(field) || "0");
  switch (event.type) {
    case "thread_created":
      return { words: "Began a thread" };
    case "message_posted":
      return { words: "Wrote a message" };
    case "spec_submitted":
      return event.author === address
        ? { words: "Submitted a spec; its stake is in escrow", change: -amount("stake") }
        : { words: "Was asked to decide on a spec" };
    case "approval_cast":
      return event.voter === address
        ? { words: event.approve === true ? "Approved a spec" : "Denied a spec" }
        : { words: `A co-author ${event.approve === true ? "approved" : "denied"} the spec` };
    case "spec_settled":
      return describeSettlement(event, address);
    case "co_author_added":
      return { words: event.co_author === address ? "Became a co-author" : "A new co-author joined" };
    case "divested":
      return { words: "Divested from a thread", change: amount("amount") };
    case "transferred":
      return event.sender === address
        ? { words: `Sent to ${shortAddress(text("to"))}`, change: -amount("amount") }
        : { words: `Received from ${shortAddress(text("sender"))}`, change: amount("amount") };
    case "privacy_changed":
      return { words: `Changed a message's privacy to ${text("level")}` };
    case "message_erased":
      return { words: "Erased a message" };
    case "premium_extended":
      return { words: "Paid for premium", change: -amount("amount") };
    case "new_message_rewarded":
      return { words: "Rewarded for a new message", change: amount("amount") };
    default:
      return { words: event.type.replaceAll("_", " ") };
  }
}

function describeSettlement(event: AccountEvent, address: string): Description {
  const outcome = OUTCOMES[String(event.outcome)] ?? "settled";
  if (event.author === address) {
    const back = BigInt(String(event.to_author ?? "0"));
    return back > 0n ? { words: `Your spec ${outcome}`, change: back } : { words: `Your spec ${outcome}` };
  }
  const share = (event.to_approvers as Record<string, string> | undefined)?.[address];
  return share === undefined
    ? { words: `A spec ${outcome}` }
    : { words: `A spec ${outcome}; your share of its stake`, change: BigInt(share) };
}
