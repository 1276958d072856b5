/** Transactions and contents as the ledger hashes and signs them (docs/reference/transactions.md). */
import { type Bytes, randomBytes, toHex, utf8 } from "./bytes";
import { canonicalJson, type Json } from "./canonical";
import { hashOf } from "./hashing";

export const PRIVACY_LEVELS = ["public", "premium", "thread", "encrypted"] as const;
export type PrivacyLevel = (typeof PRIVACY_LEVELS)[number];

export type Body =
  | { type: "create_thread"; thread_id: string; privacy: PrivacyLevel }
  | { type: "post_message"; thread_id: string; content_hash: string; priors: string[]; privacy?: PrivacyLevel }
  | {
      type: "submit_spec";
      thread_id: string;
      content_hash: string;
      stake: string;
      priors: string[];
      privacy?: PrivacyLevel;
    }
  | { type: "process_approval"; spec_id: string; approve: boolean }
  | { type: "withdraw_spec"; spec_id: string }
  | { type: "divest"; thread_id: string; amount: string }
  | { type: "transfer"; to: string; amount: string }
  | { type: "set_privacy"; message_hash: string; level: PrivacyLevel }
  | { type: "erase"; message_hash: string }
  | { type: "subscribe_premium"; periods: number };

export interface Unsigned {
  body: Body;
  chain_id: string;
  nonce: number;
  sender: string;
  depends_on?: string;
  expires_at?: number;
}

export interface Transaction extends Unsigned {
  signature: string;
}

/** The text that goes with a transaction that adds a message. */
export interface Content {
  salt: string;
  text: string;
}

const SIGNING_PREFIX = "choir-tx-v1:";

/** What the sender signs. */
export function signingBytes(unsigned: Unsigned): Bytes {
  return utf8(SIGNING_PREFIX + canonicalJson(unsigned as unknown as Json));
}

export function transactionHash(transaction: Transaction): Promise<string> {
  return hashOf(transaction as unknown as Json);
}

/** The name of a message: of its author, thread, salt and text. */
export function contentHash(author: string, threadId: string, content: Content): Promise<string> {
  return hashOf({ author, salt: content.salt, text: content.text, thread_id: threadId });
}

/** A content with a fresh salt; the text in the one form that the ledger knows: NFC, line feeds, no white space around. */
export function makeContent(text: string): Content {
  const normal = text.replaceAll("\r\n", "\n").replaceAll("\r", "\n").normalize("NFC").trim();
  return { salt: toHex(randomBytes(16)), text: normal };
}

export function newThreadId(): string {
  return toHex(randomBytes(16));
}
