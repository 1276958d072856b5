// @vitest-environment jsdom
import { afterEach, describe, expect, it, vi } from "vitest";
import { type Wallet, watchWallets } from "@/keys/wallets";
import { encodeBase58 } from "@/lib/base58";

const PUBLIC_KEY = new Uint8Array(32).fill(7);
const SIGNATURE = new Uint8Array(64).fill(9);

function standardWallet(features: Record<string, unknown> = {}) {
  const account = { address: "a", publicKey: PUBLIC_KEY, features: ["solana:signMessage"] };
  return {
    name: "Testwallet",
    icon: "data:image/png;base64,AA==",
    features: {
      "standard:connect": { connect: async () => ({ accounts: [account] }) },
      "solana:signMessage": {
        signMessage: vi.fn(async ({ message }: { message: Uint8Array }) => [
          { signedMessage: message, signature: SIGNATURE },
        ]),
      },
      ...features,
    },
  };
}

function announce(wallet: object): void {
  const detail = ({ register }: { register: (wallet: object) => void }): void => register(wallet);
  window.dispatchEvent(new CustomEvent("wallet-standard:register-wallet", { detail }));
}

describe("wallets", () => {
  let stop: () => void = () => {};
  afterEach(() => {
    stop();
    delete (window as { solana?: unknown }).solana;
  });

  it("that come later are found, and sign the very bytes they are given", async () => {
    let found: Wallet[] = [];
    stop = watchWallets((wallets) => {
      found = wallets;
    });
    const wallet = standardWallet();
    announce(wallet);
    expect(found.map(({ name }) => name)).toEqual(["Testwallet"]);
    const account = await found[0]?.connect();
    expect(account?.address).toBe(encodeBase58(PUBLIC_KEY));
    const message = Uint8Array.of(1, 2, 3);
    expect(await account?.sign(message)).toBe(encodeBase58(SIGNATURE));
    expect(wallet.features["solana:signMessage"].signMessage.mock.calls[0]?.[0].message).toBe(message);
  });

  it("that sign no messages are left out", () => {
    let found: Wallet[] = [];
    stop = watchWallets((wallets) => {
      found = wallets;
    });
    announce({ name: "Mute", features: { "standard:connect": {} } });
    expect(found).toEqual([]);
  });

  it("that give something else than a signature are refused", async () => {
    let found: Wallet[] = [];
    stop = watchWallets((wallets) => {
      found = wallets;
    });
    announce(standardWallet({ "solana:signMessage": { signMessage: async () => [{ signature: new Uint8Array(3) }] } }));
    const account = await found[0]?.connect();
    await expect(account?.sign(Uint8Array.of(1))).rejects.toThrow("gave no signature");
  });

  it("of the older kind are found where no other is", async () => {
    const address = encodeBase58(PUBLIC_KEY);
    (window as { solana?: unknown }).solana = {
      isPhantom: true,
      connect: async () => ({ publicKey: { toString: () => address } }),
      signMessage: async () => ({ signature: SIGNATURE }),
    };
    let found: Wallet[] = [];
    stop = watchWallets((wallets) => {
      found = wallets;
    });
    expect(found[0]?.name).toBe("Phantom");
    expect((await found[0]?.connect())?.address).toBe(address);
  });
});
