/** Ed25519 by the browser's own WebCrypto: keys that scripts can use but not read. */
import { decodeBase58, encodeBase58 } from "./base58";
import { type Bytes, concat, fromHex } from "./bytes";

const ALGORITHM = "Ed25519";
const PKCS8_PREFIX = fromHex("302e020100300506032b657004220420"); // RFC 8410: what stands before the 32 bytes of a seed

export interface KeyPair {
  readonly address: string;
  /** Not extractable. */
  readonly privateKey: CryptoKey;
}

/** The key of a 32-byte seed. The seed itself is not kept. */
export async function keyFromSeed(seed: Uint8Array): Promise<KeyPair> {
  if (seed.length !== 32) throw new Error(`a seed has 32 bytes, not ${seed.length}`);
  const pkcs8 = concat(PKCS8_PREFIX, seed);
  // Only a readable key tells its public half; it is dropped at once.
  const readable = await crypto.subtle.importKey("pkcs8", pkcs8, ALGORITHM, true, ["sign"]);
  const { x } = await crypto.subtle.exportKey("jwk", readable);
  if (x === undefined) throw new Error("the browser does not tell the public key");
  const privateKey = await crypto.subtle.importKey("pkcs8", pkcs8, ALGORITHM, false, ["sign"]);
  pkcs8.fill(0);
  return { address: encodeBase58(fromBase64Url(x)), privateKey };
}

/** Base58 of the signature over `message`. */
export async function sign(privateKey: CryptoKey, message: Bytes): Promise<string> {
  return encodeBase58(new Uint8Array(await crypto.subtle.sign(ALGORITHM, privateKey, message)));
}

/** Whether `signature` (base58) over `message` was made by `address`. What is malformed is not valid. */
export async function isValidSignature(address: string, message: Bytes, signature: string): Promise<boolean> {
  try {
    const key = await crypto.subtle.importKey("raw", decodeBase58(address, 32), ALGORITHM, false, ["verify"]);
    return await crypto.subtle.verify(ALGORITHM, key, decodeBase58(signature, 64), message);
  } catch {
    return false;
  }
}

/** Whether this browser, at this address, can sign: an old one cannot, and none can over plain HTTP from another machine. */
export async function canSign(): Promise<boolean> {
  if (globalThis.crypto?.subtle === undefined) return false;
  try {
    await keyFromSeed(new Uint8Array(32));
    return true;
  } catch {
    return false;
  }
}

function fromBase64Url(text: string): Bytes {
  const binary = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  return Uint8Array.from(binary, (letter) => letter.charCodeAt(0));
}
