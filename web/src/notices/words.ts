/** Notices in words. */
import { formatChoir } from "@/lib/amounts";
import { shortAddress } from "@/ui/format";
import type { Notice } from "./notice";

/** One sentence about a notice. */
export function wordsOf({ kind, amount = "0", who = "" }: Notice): string {
  const choir = `${formatChoir(amount)} CHOIR`;
  switch (kind) {
    case "asked":
      return `${shortAddress(who)} asks for your vote on a spec`;
    case "approved":
      return "Your spec was approved; you are a co-author now";
    case "denied":
      return "Your spec was denied";
    case "expired":
      return "Your spec expired before all co-authors had voted";
    case "shared":
      return `A spec that you voted on is decided; your share is ${choir}`;
    case "received":
      return `You received ${choir} from ${shortAddress(who)}`;
    case "rewarded":
      return `A message of yours was rewarded with ${choir}`;
  }
}
