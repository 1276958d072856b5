/** 24 words from which a key can be made again: BIP-39, and SLIP-0010 along the path that Solana wallets use. */
import { generateMnemonic, mnemonicToSeed, validateMnemonic } from "@scure/bip39";
import { wordlist } from "@scure/bip39/wordlists/english.js";
import { type Bytes, concat, fromHex, utf8 } from "@/lib/bytes";

export const WORDS = 24;
const HARDENED = 0x80000000;
const PATH = [44, 501, 0, 0]; // m/44'/501'/0'/0'

export function newPhrase(): string {
  return generateMnemonic(wordlist, 256);
}

const SEED = /^[0-9a-f]{64}$/i;

/** The seed in what was typed: 24 words, or the 64 hex digits that `choir key export` prints. Throws with a reason. */
export async function seedOfTyped(text: string): Promise<Bytes> {
  if (SEED.test(text.trim())) return fromHex(text.trim().toLowerCase());
  const phrase = normalisePhrase(text);
  const problem = phraseProblem(phrase);
  if (problem !== undefined) throw new Error(problem);
  return seedOfPhrase(phrase);
}

/** The words as people may have typed them: any case, any white space, numbers in front. */
export function normalisePhrase(text: string): string {
  return text
    .toLowerCase()
    .replaceAll(/[\d.,;:)]+/g, " ")
    .trim()
    .split(/\s+/)
    .join(" ");
}

/** Why `phrase` is none; undefined when it is one. */
export function phraseProblem(phrase: string): string | undefined {
  const words = phrase === "" ? [] : phrase.split(" ");
  const unknown = words.find((word) => !wordlist.includes(word));
  if (unknown !== undefined) return `“${unknown}” is not a word of the list.`;
  if (words.length !== WORDS) return `A phrase has ${WORDS} words; these are ${words.length}.`;
  return validateMnemonic(phrase, wordlist)
    ? undefined
    : "The words do not fit together: one is wrong or out of place.";
}

/** The 32-byte Ed25519 seed of a phrase. Wallets that follow Solana's path give the same address. */
export async function seedOfPhrase(phrase: string): Promise<Bytes> {
  let node = await hmacSha512(utf8("ed25519 seed"), new Uint8Array(await mnemonicToSeed(phrase)));
  for (const index of PATH) {
    const number = new Uint8Array(4);
    new DataView(number.buffer).setUint32(0, index + HARDENED);
    node = await hmacSha512(node.slice(32), concat(Uint8Array.of(0), node.slice(0, 32), number));
  }
  return node.slice(0, 32);
}

async function hmacSha512(key: Bytes, data: Bytes): Promise<Bytes> {
  const imported = await crypto.subtle.importKey("raw", key, { name: "HMAC", hash: "SHA-512" }, false, ["sign"]);
  return new Uint8Array(await crypto.subtle.sign("HMAC", imported, data));
}
