/** What was sent and not yet answered, kept for the tab's life: a page loaded again in the middle loses no text. */
import { get } from "@/api/client";
import { isRefusal } from "@/api/errors";
import { type Draft, giveBack } from "./drafts";

interface Sent {
  readonly address: string;
  readonly place: string;
  readonly draft: Draft;
}

const PREFIX = "choir.sent.";
/** Sent by this page, and so still looked after. */
const own = new Set<string>();

export function keepSent(hash: string, sent: Sent): void {
  own.add(hash);
  sessionStorage.setItem(PREFIX + hash, JSON.stringify(sent));
}

export function forgetSent(hash: string): void {
  own.delete(hash);
  sessionStorage.removeItem(PREFIX + hash);
}

/** Give back what an earlier page of this tab sent as `address` and the node does not have. Needs its session. */
export async function recoverSent(address: string): Promise<void> {
  const hashes = Object.keys(sessionStorage)
    .filter((key) => key.startsWith(PREFIX))
    .map((key) => key.slice(PREFIX.length))
    .filter((hash) => !own.has(hash));
  for (const hash of hashes) {
    const sent = JSON.parse(sessionStorage.getItem(PREFIX + hash) ?? "null") as Sent | null;
    if (sent?.address === address) await recover(hash, sent);
  }
}

async function recover(hash: string, { place, draft }: Sent): Promise<void> {
  try {
    await get("/v1/message/{content_hash}", { path: { content_hash: hash } });
  } catch (error) {
    // Without an answer nobody knows: it stays kept, and the next page asks again.
    if (!isRefusal(error, "NotFound")) return;
    giveBack(place, draft, "The page was loaded again before the node had this. It was not sent.");
  }
  forgetSent(hash);
}
