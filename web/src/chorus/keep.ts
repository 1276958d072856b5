/** An answer becomes a message: signed by its asker, with its citations as priors. */
import { refreshAfter } from "@/api/queries";
import { nameOf, type Stage, submit } from "@/api/submit";
import type { Account } from "@/keys/account";
import { makeContent, newThreadId } from "@/lib/transactions";

/** In the place of a thread's id: one that does not exist yet. */
export const NEW_THREAD = "new";

export interface Keeping {
  threadId: string;
  text: string;
  priors: string[];
  /** In uchoir: submitted as a spec to a thread of others. Without it, posted to an own one. */
  stake?: bigint;
  onStage?: (stage: Stage) => void;
}

export interface Kept {
  threadId: string;
  contentHash: string;
  isSpec: boolean;
}

/** Sign and send it, and wait until it is final. Throws what `submit` throws. */
export async function keepAnswer(account: Account, keeping: Keeping): Promise<Kept> {
  const { text, priors, stake, onStage } = keeping;
  const progress = onStage === undefined ? {} : { onStage };
  const isNew = keeping.threadId === NEW_THREAD;
  const thread_id = isNew ? newThreadId() : keeping.threadId;
  if (isNew) await submit(account, { type: "create_thread", thread_id, privacy: "public" }, undefined, progress);
  const content = makeContent(text);
  const content_hash = await nameOf(account, thread_id, content);
  const message = { thread_id, content_hash, priors };
  await submit(
    account,
    stake === undefined
      ? { type: "post_message", ...message }
      : { type: "submit_spec", ...message, stake: String(stake) },
    content,
    progress,
  );
  await refreshAfter(account.address, thread_id);
  return { threadId: thread_id, contentHash: content_hash, isSpec: stake !== undefined };
}
