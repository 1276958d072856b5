/** Messages on their way: shown at once, then final, or given back to the composer with the reason. */
import { useSyncExternalStore } from "react";
import { explain, Refused, Unreachable } from "@/api/errors";
import { type MessageView, refreshAfter } from "@/api/queries";
import { nameOf, OutcomeUnknown, type Receipt, type Stage, submit } from "@/api/submit";
import type { Account } from "@/keys/account";
import { type Body, type Content, makeContent } from "@/lib/transactions";
import { type Draft, dropDraft, giveBack } from "./drafts";
import { forgetSent, keepSent } from "./sent";

export interface Pending {
  readonly hash: string;
  readonly threadId: string;
  readonly author: string;
  readonly text: string;
  readonly priors: readonly string[];
  readonly kind: "message" | "spec";
  readonly stage: Stage | "final";
  readonly sentAtMs: number;
}

let pending: readonly Pending[] = [];
/** Places whose draft is about to be shown as pending. */
const beingNamed = new Set<string>();
const listeners = new Set<() => void>();

export function usePending(threadId: string): readonly Pending[] {
  const all = useSyncExternalStore(subscribe, () => pending);
  return all.filter((message) => message.threadId === threadId);
}

/** Send a draft as a message of `threadId`, or as a spec when it has a stake. The draft's place is empty at once. */
export async function send(account: Account, threadId: string, place: string, draft: Draft): Promise<boolean> {
  // A second press of the keys comes before the page is drawn without the draft, and means nothing more.
  if (beingNamed.has(place)) return false;
  beingNamed.add(place);
  const content = makeContent(draft.text);
  const hash = await nameOf(account, threadId, content).finally(() => beingNamed.delete(place));
  const kind = draft.stake === undefined ? "message" : "spec";
  const shown = { threadId, author: account.address, text: content.text, priors: draft.priors };
  add({ ...shown, hash, kind, stage: "signing", sentAtMs: Date.now() });
  const clean = { ...draft, returned: undefined };
  keepSent(hash, { address: account.address, place, draft: clean });
  dropDraft(place);
  try {
    await submit(account, bodyOf(threadId, hash, draft), content, { onStage: (stage) => change(hash, { stage }) });
    change(hash, { stage: "final" });
    await refreshAfter(account.address, threadId);
    return true;
  } catch (error) {
    giveBack(place, clean, reasonOf(error));
    return false;
  } finally {
    forgetSent(hash);
    remove(hash);
  }
}

/** Begin a thread with its first message. Resolves with its receipt once both are final. Called again with the same
 * thread after its message failed, it goes on where it was. */
export async function begin(
  account: Account,
  body: Extract<Body, { type: "create_thread" }>,
  text: string,
): Promise<Receipt> {
  await submit(account, body).catch((error: unknown) => {
    if (!(error instanceof Refused && error.errorName === "ThreadExists")) throw error;
  });
  const content: Content = makeContent(text);
  const hash = await nameOf(account, body.thread_id, content);
  const message: Body = { type: "post_message", thread_id: body.thread_id, content_hash: hash, priors: [] };
  const receipt = await submit(account, message, content);
  await refreshAfter(account.address, body.thread_id);
  return receipt;
}

/** What a sent message looks like among the others until the node shows it. */
export function asMessage(item: Pending): MessageView {
  return {
    content_hash: item.hash,
    thread_id: item.threadId,
    author: item.author,
    created_at_ms: item.sentAtMs,
    kind: item.kind,
    status: "pending",
    privacy: "public",
    is_erased: false,
    priors: [...item.priors],
    access: "full",
    text: item.text,
    salt: null,
    summary: null,
    at_most_characters: null,
    resonance: null,
    coherence: null,
    tx_hash: "",
  };
}

function bodyOf(threadId: string, hash: string, draft: Draft): Body {
  const base = {
    thread_id: threadId,
    content_hash: hash,
    priors: [...draft.priors],
    ...(draft.privacy === undefined ? {} : { privacy: draft.privacy }),
  };
  return draft.stake === undefined
    ? { type: "post_message", ...base }
    : { type: "submit_spec", ...base, stake: draft.stake };
}

function reasonOf(error: unknown): string {
  if (error instanceof OutcomeUnknown || error instanceof Refused) return error.message;
  if (error instanceof Unreachable) return `It was not sent. ${error.message}`;
  return `It was not sent: ${explain(error)}`;
}

function add(item: Pending): void {
  set([...pending, item]);
}

function change(hash: string, part: Partial<Pending>): void {
  set(pending.map((item) => (item.hash === hash ? { ...item, ...part } : item)));
}

function remove(hash: string): void {
  set(pending.filter((item) => item.hash !== hash));
}

function set(next: readonly Pending[]): void {
  pending = next;
  for (const listener of listeners) listener();
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}
