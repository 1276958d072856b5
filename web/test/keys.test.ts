import { describe, expect, it } from "vitest";
import { decodeBase58, encodeBase58, isAddress } from "@/lib/base58";
import { fromHex, toHex, utf8 } from "@/lib/bytes";
import { isValidSignature, keyFromSeed, sign } from "@/lib/ed25519";
import { contentHash, signingBytes, type Transaction, transactionHash } from "@/lib/transactions";
import { readVectors } from "./vectors";

const { keys } = readVectors<{ keys: Record<string, { address: string; seed_hex: string }> }>("keys");
const contents = readVectors<{
  cases: {
    name: string;
    content: { author: string; thread_id: string; salt: string; text: string };
    expected: { content_hash: string };
  }[];
}>("content_hash").cases;
const transfers = readVectors<{ cases: { name: string; block: { transaction?: Transaction } }[] }>("transfer").cases;

describe("keys", () => {
  it.each(Object.entries(keys))("%s: address and a signature that verifies", async (_, { address, seed_hex }) => {
    const key = await keyFromSeed(fromHex(seed_hex));
    expect(key.address).toBe(address);
    expect(key.privateKey.extractable).toBe(false);
    const signature = await sign(key.privateKey, utf8("hello"));
    expect(await isValidSignature(address, utf8("hello"), signature)).toBe(true);
    expect(await isValidSignature(address, utf8("hullo"), signature)).toBe(false);
  });

  it("makes the signature and the hash of the guide for clients", async () => {
    const key = await keyFromSeed(fromHex("000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"));
    const thread = "0123456789abcdef0123456789abcdef";
    const hash = await contentHash(key.address, thread, {
      salt: "00112233445566778899aabbccddeeff",
      text: "Café, naïve, 你好",
    });
    const unsigned = {
      body: { type: "submit_spec" as const, thread_id: thread, content_hash: hash, stake: "100000000", priors: [] },
      chain_id: "choir-dev",
      nonce: 0,
      sender: key.address,
    };
    const signature = await sign(key.privateKey, signingBytes(unsigned));
    expect(signature).toBe("5JxaSsXSd3Z2T9UmMaeZFS3qpX77ZVuAEAw2h7G8Z96yux3ktgZAZXsctuMLgWQK7Zny7UMyj9CpTjhT11zwAhgi");
    expect(await transactionHash({ ...unsigned, signature })).toBe(
      "8900c720af98f33f3c66b2f1650e26f98d328b8e275fb1190ff7dd16b4d516c0",
    );
  });

  it("accepts the signatures of the transfer vectors", async () => {
    const signed = transfers.flatMap(({ block }) => (block.transaction === undefined ? [] : [block.transaction]));
    expect(signed.length).toBeGreaterThan(3);
    for (const { signature, ...unsigned } of signed) {
      expect(await isValidSignature(unsigned.sender, signingBytes(unsigned), signature)).toBe(true);
    }
  });
});

describe("content hashes", () => {
  it.each(contents)("$name", async ({ content, expected }) => {
    expect(await contentHash(content.author, content.thread_id, content)).toBe(expected.content_hash);
  });
});

describe("base58", () => {
  it.each(["", "00", "0000", "00ff", "ffffffff", "0001020304"])("%s comes back", (hex) => {
    const bytes = fromHex(hex);
    expect(toHex(decodeBase58(encodeBase58(bytes), bytes.length))).toBe(hex);
  });

  it.each(["", "0", "O0", " ".repeat(44), "1".repeat(31), "1".repeat(33), "z".repeat(89)])(
    "%s is no address",
    (text) => {
      expect(isAddress(text)).toBe(false);
    },
  );
});
