/** Base58 with Bitcoin's alphabet; addresses (32 bytes) and signatures (64 bytes) are written in it. */
import type { Bytes } from "./bytes";

const ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
const DIGITS = new Map([...ALPHABET].map((letter, digit) => [letter, digit]));
const MAX_CHARACTERS = 88; // 64 bytes need no more

export function encodeBase58(bytes: Uint8Array): string {
  const digits: number[] = [];
  for (const byte of bytes) {
    let carry = byte;
    for (let i = 0; i < digits.length; i++) {
      carry += (digits[i] ?? 0) << 8;
      digits[i] = carry % 58;
      carry = Math.floor(carry / 58);
    }
    while (carry > 0) {
      digits.push(carry % 58);
      carry = Math.floor(carry / 58);
    }
  }
  const zeros = countLeading(bytes, 0);
  return (
    "1".repeat(zeros) +
    digits
      .reverse()
      .map((digit) => ALPHABET[digit])
      .join("")
  );
}

/** The `length` bytes that `text` spells. Throws for anything else. */
export function decodeBase58(text: string, length: number): Bytes {
  if (text.length > MAX_CHARACTERS) throw new Error(`not base58 of ${length} bytes: too long`);
  const reversed: number[] = [];
  for (const letter of text) {
    let carry = DIGITS.get(letter);
    if (carry === undefined) throw new Error(`not base58: ${letter}`);
    for (let i = 0; i < reversed.length; i++) {
      carry += (reversed[i] ?? 0) * 58;
      reversed[i] = carry & 0xff;
      carry >>= 8;
    }
    while (carry > 0) {
      reversed.push(carry & 0xff);
      carry >>= 8;
    }
  }
  const zeros = countLeading([...text], "1");
  const bytes = Uint8Array.from([...Array<number>(zeros).fill(0), ...reversed.reverse()]);
  if (bytes.length !== length) throw new Error(`not base58 of ${length} bytes`);
  return bytes;
}

/** Whether `text` has the form of an account's address. */
export function isAddress(text: string): boolean {
  try {
    return encodeBase58(decodeBase58(text, 32)) === text;
  } catch {
    return false;
  }
}

function countLeading<T>(items: ArrayLike<T>, wanted: T): number {
  let count = 0;
  while (count < items.length && items[count] === wanted) count++;
  return count;
}
