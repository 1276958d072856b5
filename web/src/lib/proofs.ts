/** Checking an inclusion proof in the browser: the same steps as `choir verify`, none of them asked of the node. */
import { fromHex, toHex, utf8 } from "./bytes";
import { canonicalJson, type Json } from "./canonical";
import { isValidSignature } from "./ed25519";
import { hashOf } from "./hashing";
import { rootFromPath } from "./merkle";

interface Receipt {
  code: number;
  detail: string;
  height: number;
  index: number;
  name: string;
  time_ms: number;
  tx_hash: string;
}

interface Header {
  app_hash: string;
  chain_id: string;
  data_hash: string;
  height: number;
  previous_hash: string;
  proposer: string;
  results_hash: string;
  time_ms: number;
}

export interface Proof {
  transaction: { body: Record<string, unknown>; chain_id: string; sender: string; signature: string };
  receipt: Receipt;
  total: number;
  transaction_path: readonly string[];
  receipt_path: readonly string[];
  signed_header: { header: Header; signature: string };
  content?: { author: string; salt: string; text: string; thread_id: string };
}

export type Check = "content" | "transaction" | "receipt" | "transaction_path" | "receipt_path" | "header";
export const CHECKS: readonly Check[] = [
  "content",
  "transaction",
  "receipt",
  "transaction_path",
  "receipt_path",
  "header",
];

/** `found` is what was computed here; `problem` says why the step does not hold. A step with `skipped` had nothing to check. */
export interface CheckResult {
  check: Check;
  found: string;
  problem?: string;
  skipped?: boolean;
}

const HEADER_PREFIX = "choir-header-v1:";

/** Every step, in order, with what it found. `validators` are the addresses trusted to sign headers. */
export async function checkProof(proof: Proof, validators: readonly string[]): Promise<CheckResult[]> {
  const header = proof.signed_header.header;
  const txHash = await hashOf(proof.transaction as unknown as Json);
  return [
    await checkContent(proof),
    result("transaction", txHash, txHash === proof.receipt.tx_hash, "the receipt is for another transaction"),
    checkReceipt(proof.receipt, header),
    await checkPath("transaction_path", fromHex(txHash), proof.transaction_path, header.data_hash, proof),
    await checkPath(
      "receipt_path",
      utf8(canonicalJson(proof.receipt as unknown as Json)),
      proof.receipt_path,
      header.results_hash,
      proof,
    ),
    await checkHeader(proof, validators),
  ];
}

export function isProven(results: readonly CheckResult[]): boolean {
  return results.every((step) => step.problem === undefined);
}

function result(check: Check, found: string, holds: boolean, problem: string): CheckResult {
  return holds ? { check, found } : { check, found, problem };
}

async function checkContent(proof: Proof): Promise<CheckResult> {
  const { content, transaction } = proof;
  const body = transaction.body;
  if (content === undefined) return { check: "content", found: "", skipped: true };
  const found = await hashOf(content as unknown as Json);
  if (body.type !== "post_message" && body.type !== "submit_spec") {
    return { check: "content", found, problem: "the transaction adds no message, so it proves no content" };
  }
  const isSame = content.author === transaction.sender && content.thread_id === body.thread_id;
  if (!isSame) return { check: "content", found, problem: "the content is of another author or thread" };
  return result("content", found, found === body.content_hash, "the text does not hash to what was signed");
}

function checkReceipt(receipt: Receipt, header: Header): CheckResult {
  const found = `${receipt.name} (${receipt.code})`;
  if (receipt.code !== 0) return { check: "receipt", found, problem: `the transaction was refused: ${receipt.name}` };
  return result("receipt", found, receipt.height === header.height, "the receipt is for another block");
}

async function checkPath(
  check: "transaction_path" | "receipt_path",
  leaf: Uint8Array,
  path: readonly string[],
  root: string,
  proof: Proof,
): Promise<CheckResult> {
  try {
    const found = toHex(await rootFromPath(leaf, proof.receipt.index, proof.total, path.map(fromHex)));
    return result(check, found, found === root, "the path does not lead to the header");
  } catch (error) {
    return { check, found: "", problem: `the path is malformed: ${(error as Error).message}` };
  }
}

async function checkHeader(proof: Proof, validators: readonly string[]): Promise<CheckResult> {
  const { header, signature } = proof.signed_header;
  const found = header.proposer;
  if (header.chain_id !== proof.transaction.chain_id) {
    return { check: "header", found, problem: "the header is of another chain" };
  }
  if (!validators.includes(header.proposer)) {
    return { check: "header", found, problem: "the header is signed by a key that is not a trusted validator" };
  }
  const message = utf8(HEADER_PREFIX + canonicalJson(header as unknown as Json));
  const holds = await isValidSignature(header.proposer, message, signature);
  return result("header", found, holds, "the signature is not the proposer's");
}
