import { type Bytes, concat, toHex, utf8 } from "./bytes";
import { canonicalJson, type Json } from "./canonical";

export async function sha256(data: Bytes): Promise<Bytes> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", data));
}

export async function sha256Hex(data: Bytes): Promise<string> {
  return toHex(await sha256(data));
}

/** What names a document: SHA-256 of its canonical form, in hex. */
export function hashOf(document: Json): Promise<string> {
  return sha256Hex(utf8(canonicalJson(document)));
}

/** SHA-256 of `prefix` and `data`, the way trees hash their leaves and nodes. */
export function sha256Prefixed(prefix: number, ...parts: Uint8Array[]): Promise<Bytes> {
  return sha256(concat(Uint8Array.of(prefix), ...parts));
}
