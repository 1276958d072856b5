/** Signing and sending transactions: one at a time for an account, the same signed bytes again when the answer is lost. */
import type { Account } from "@/keys/account";
import {
  type Body,
  type Content,
  contentHash,
  signingBytes,
  type Transaction,
  transactionHash,
} from "@/lib/transactions";
import { get, post } from "./client";
import { isRefusal, Refused, Unreachable } from "./errors";
import type { components } from "./schema";
import { chainIdOfNode } from "./session";

export type Receipt = components["schemas"]["Receipt"];
export type Stage = "signing" | "sending" | "retrying";

interface Progress {
  /** Told what happens; `retrying` when the node did not answer. */
  onStage?: (stage: Stage) => void;
  signal?: AbortSignal;
}

/** The answer was lost, and the node cannot be asked: the transaction may be committed or not. */
export class OutcomeUnknown extends Error {
  override name = "OutcomeUnknown";

  constructor(readonly txHash: string) {
    super(
      "The node stopped answering after this was sent. It may or may not have arrived; look before you send it again.",
    );
  }
}

export const RETRY_MS: readonly number[] = [1000, 5000, 30_000];
const lines = new Map<string, Promise<unknown>>();

/** Sign `body` as `account`, send it, and wait until it is final. Throws `Refused`, `Unreachable` or `OutcomeUnknown`. */
export function submit(account: Account, body: Body, content?: Content, progress: Progress = {}): Promise<Receipt> {
  const before = lines.get(account.address) ?? Promise.resolve();
  const turn = before.catch(() => undefined).then(() => signAndSend(account, body, content, progress));
  lines.set(account.address, turn);
  return turn;
}

/** The hash that names a message before the node has it. */
export function nameOf(account: Account, threadId: string, content: Content): Promise<string> {
  return contentHash(account.address, threadId, content);
}

async function signAndSend(
  account: Account,
  body: Body,
  content: Content | undefined,
  progress: Progress,
): Promise<Receipt> {
  progress.onStage?.("signing");
  const [chain_id, { nonce }] = await Promise.all([
    chainIdOfNode(),
    get("/v1/account/{address}", { path: { address: account.address }, query: { limit: 1 } }),
  ]);
  const unsigned = { body, chain_id, nonce, sender: account.address };
  const transaction = { ...unsigned, signature: await account.sign(signingBytes(unsigned)) };
  return send(transaction, content, progress);
}

async function send(transaction: Transaction, content: Content | undefined, progress: Progress): Promise<Receipt> {
  const body = content === undefined ? { tx: transaction } : { tx: transaction, content };
  progress.onStage?.("sending");
  let wasLost = false;
  for (const waitMs of [...RETRY_MS, undefined]) {
    try {
      // The very same bytes: the node answers a second sending with the first one's receipt.
      return (await post("/v1/tx", {
        query: { wait: "final" },
        body: body as never,
        signal: progress.signal,
      })) as Receipt;
    } catch (error) {
      const isBusy = error instanceof Refused && error.status === 503;
      if (!isBusy && !(error instanceof Unreachable)) throw error;
      if (error instanceof Unreachable) wasLost = true;
      if (waitMs === undefined) break;
      progress.onStage?.("retrying");
      await delay(waitMs, progress.signal);
    }
  }
  return findOutcome(await transactionHash(transaction), wasLost);
}

async function findOutcome(txHash: string, wasLost: boolean): Promise<Receipt> {
  try {
    return (await get("/v1/tx/{tx_hash}", { path: { tx_hash: txHash } })).receipt;
  } catch (error) {
    if (isRefusal(error, "NotFound") || !wasLost) throw new Unreachable();
    throw new OutcomeUnknown(txHash);
  }
}

function delay(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, ms);
    signal?.addEventListener("abort", () => {
      clearTimeout(timer);
      reject(signal.reason);
    });
  });
}
