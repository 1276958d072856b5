/** Who acts: the account of the key that is in use, for every part of the app. */
import { useSyncExternalStore } from "react";
import type { Bytes } from "@/lib/bytes";
import { type KeyPair, sign } from "@/lib/ed25519";
import { deleteKey, listKeys, putKey, type StoredKey } from "./keystore";
import type { Wallet } from "./wallets";

export interface Account {
  readonly address: string;
  /** Where the key is: in this browser, or in a wallet of this name. */
  readonly holder: "browser" | { readonly wallet: string };
  /** Base58 of the signature. A wallet asks its owner. */
  sign(message: Bytes): Promise<string>;
}

export interface AccountState {
  /** Undefined until the browser has said which keys it holds. */
  readonly isLoaded: boolean;
  readonly active: Account | undefined;
  /** Accounts whose keys this browser holds. */
  readonly held: readonly string[];
}

const ACTIVE_ADDRESS = "choir.account";

let state: AccountState = { isLoaded: false, active: undefined, held: [] };
let keys = new Map<string, StoredKey>();
const listeners = new Set<() => void>();

export function accountState(): AccountState {
  return state;
}

export function useAccountState(): AccountState {
  return useSyncExternalStore(onAccountChange, accountState);
}

export function useAccount(): Account | undefined {
  return useAccountState().active;
}

export function onAccountChange(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** Whether an account was in use last: then the held keys say which. */
export function hasAccount(): boolean {
  try {
    return localStorage.getItem(ACTIVE_ADDRESS) !== null;
  } catch {
    // A browser that keeps nothing has kept no account.
    return false;
  }
}

/** Read the held keys, and go on with the one that was used last. */
export async function loadAccounts(): Promise<void> {
  keys = new Map((await listKeys()).map((key) => [key.address, key]));
  const last = localStorage.getItem(ACTIVE_ADDRESS);
  const key = last === null ? undefined : keys.get(last);
  set({ active: key && fromKey(key) });
}

/** Hold `key` in this browser and use it. */
export async function addKey(key: KeyPair): Promise<Account> {
  const stored = await putKey(key);
  keys.set(stored.address, stored);
  return use(fromKey(stored));
}

export async function connectWallet(wallet: Wallet): Promise<Account> {
  const { address, sign: signWithWallet } = await wallet.connect();
  return use({ address, holder: { wallet: wallet.name }, sign: signWithWallet });
}

export function switchAccount(address: string): void {
  const key = keys.get(address);
  if (key !== undefined) use(fromKey(key));
}

/** Use no account. The keys stay. */
export function signOut(): void {
  localStorage.removeItem(ACTIVE_ADDRESS);
  set({ active: undefined });
}

/** Have the browser forget a key for good. Only its phrase brings it back. */
export async function forgetKey(address: string): Promise<void> {
  await deleteKey(address);
  keys.delete(address);
  if (state.active?.address === address) signOut();
  else set({});
}

function use(account: Account): Account {
  localStorage.setItem(ACTIVE_ADDRESS, account.address);
  set({ active: account });
  return account;
}

function fromKey(key: StoredKey): Account {
  return { address: key.address, holder: "browser", sign: (message) => sign(key.privateKey, message) };
}

function set(change: Partial<AccountState>): void {
  state = { ...state, ...change, isLoaded: true, held: [...keys.keys()] };
  for (const listener of listeners) listener();
}
