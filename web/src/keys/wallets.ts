/** Solana wallets by the Wallet Standard, and the older `window.solana`: they sign messages, and the key stays theirs. */
import { decodeBase58, encodeBase58 } from "@/lib/base58";
import type { Bytes } from "@/lib/bytes";

export interface Wallet {
  readonly name: string;
  /** A data URL. */
  readonly icon: string | undefined;
  connect(): Promise<WalletAccount>;
}

export interface WalletAccount {
  readonly address: string;
  /** Base58 of the signature over exactly these bytes. Asks the owner. */
  sign(message: Bytes): Promise<string>;
}

interface StandardAccount {
  readonly address: string;
  readonly publicKey: Uint8Array;
  readonly features: readonly string[];
}

interface StandardWallet {
  readonly name: string;
  readonly icon?: string;
  readonly features: Record<string, unknown>;
}

interface ConnectFeature {
  connect(): Promise<{ accounts: readonly StandardAccount[] }>;
}

interface SignMessageFeature {
  signMessage(
    ...inputs: { account: StandardAccount; message: Uint8Array }[]
  ): Promise<readonly { signedMessage: Uint8Array; signature: Uint8Array }[]>;
}

interface LegacyProvider {
  isPhantom?: boolean;
  connect(): Promise<{ publicKey: { toString(): string } }>;
  signMessage(message: Uint8Array, display?: "utf8"): Promise<{ signature: Uint8Array }>;
}

const SIGN_MESSAGE = "solana:signMessage";

/** Tells of every wallet that is there or that comes later. Returns how to stop. */
export function watchWallets(found: (wallets: Wallet[]) => void): () => void {
  const wallets = new Map<string, Wallet>();
  const register = (...given: StandardWallet[]): (() => void) => {
    for (const wallet of given) {
      if (SIGN_MESSAGE in wallet.features) wallets.set(wallet.name, fromStandard(wallet));
    }
    found([...wallets.values()]);
    return () => {};
  };
  const onRegister = (event: Event): void => (event as CustomEvent<(api: object) => void>).detail({ register });
  window.addEventListener("wallet-standard:register-wallet", onRegister);
  window.dispatchEvent(new CustomEvent("wallet-standard:app-ready", { detail: { register } }));
  const legacy = (window as { solana?: LegacyProvider }).solana;
  if (wallets.size === 0 && typeof legacy?.signMessage === "function") {
    wallets.set("legacy", fromLegacy(legacy));
    found([...wallets.values()]);
  }
  return () => window.removeEventListener("wallet-standard:register-wallet", onRegister);
}

function fromStandard(wallet: StandardWallet): Wallet {
  return {
    name: wallet.name,
    icon: wallet.icon,
    async connect() {
      const { accounts } = await (wallet.features["standard:connect"] as ConnectFeature).connect();
      const account = accounts.find((candidate) => candidate.features.includes(SIGN_MESSAGE));
      if (account === undefined) throw new Error(`${wallet.name} gave no account that signs messages.`);
      const feature = wallet.features[SIGN_MESSAGE] as SignMessageFeature;
      return {
        address: encodeBase58(account.publicKey),
        async sign(message) {
          const [signed] = await feature.signMessage({ account, message });
          return checkedSignature(signed?.signature, wallet.name);
        },
      };
    },
  };
}

function fromLegacy(provider: LegacyProvider): Wallet {
  const name = provider.isPhantom === true ? "Phantom" : "Solana wallet";
  return {
    name,
    icon: undefined,
    async connect() {
      const address = (await provider.connect()).publicKey.toString();
      decodeBase58(address, 32); // throws for what is no address
      return {
        address,
        sign: async (message) => checkedSignature((await provider.signMessage(message, "utf8")).signature, name),
      };
    },
  };
}

function checkedSignature(signature: Uint8Array | undefined, name: string): string {
  if (signature?.length !== 64) throw new Error(`${name} gave no signature.`);
  return encodeBase58(signature);
}
