/** The session of the account in use: signed in silently with a key of the browser's, and on request with a wallet. */
import { useSyncExternalStore } from "react";
import { type Account, accountState, onAccountChange } from "@/keys/account";
import { utf8 } from "@/lib/bytes";
import { get, post, setBearer } from "./client";
import { explain, isRefusal, Unreachable } from "./errors";

export type SessionState =
  | { readonly is: "signed-out" }
  | { readonly is: "signing-in"; readonly address: string }
  | { readonly is: "signed-in"; readonly address: string; readonly token: string }
  | { readonly is: "failed"; readonly address: string; readonly reason: string };

interface Kept {
  address: string;
  token: string;
  expiresAtMs: number;
}

const RETRY_MS = 5000;
const KEPT = "choir.session"; // in sessionStorage: gone with the tab
let state: SessionState = { is: "signed-out" };
const listeners = new Set<() => void>();

export function sessionState(): SessionState {
  return state;
}

export function onSessionChange(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export function useSession(): SessionState {
  return useSyncExternalStore(onSessionChange, sessionState);
}

/** Follow the account in use from now on. */
export function startSessions(): void {
  onAccountChange(follow);
  follow();
}

/** Sign in again: after a failure, or when the node does not know the token any more. */
export async function signIn(account: Account): Promise<void> {
  set({ is: "signing-in", address: account.address });
  try {
    const challenge = await post("/v1/auth/challenge", { body: { address: account.address } });
    checkChallenge(challenge.message, account.address);
    const signature = await account.sign(utf8(challenge.message));
    const body = { address: account.address, nonce: challenge.nonce, signature };
    const session = await post("/v1/auth/login", { body });
    keep({ address: session.address, token: session.token, expiresAtMs: session.expires_at_ms });
  } catch (error) {
    if (accountState().active?.address === account.address) {
      set({ is: "failed", address: account.address, reason: explain(error) });
      // A key of the browser's asks nobody: it signs in as soon as the node is there again.
      if (error instanceof Unreachable && account.holder === "browser") retryLater(account);
    }
  }
}

function retryLater(account: Account): void {
  setTimeout(() => {
    if (state.is === "failed" && state.address === account.address) void signIn(account);
  }, RETRY_MS);
}

/** Whether `error` says that the session has ended; then a new one is begun. */
export function renewSessionAfter(error: unknown): boolean {
  const account = accountState().active;
  if (!isRefusal(error, "NotSignedIn") || account === undefined || state.is !== "signed-in") return false;
  sessionStorage.removeItem(KEPT);
  void signIn(account);
  return true;
}

/** What is signed must be a challenge and nothing else: a node could ask for a signature under a transaction. */
export function checkChallenge(message: string, address: string): void {
  const lines = message.split("\n");
  const isChallenge = lines[0]?.endsWith(" wants you to sign in with your Solana account:") === true;
  if (!isChallenge || lines[1] !== address || message.startsWith("choir-")) {
    throw new Error("The node asked for a signature under something else than a sign-in. Nothing was signed.");
  }
}

function follow(): void {
  const account = accountState().active;
  if (account === undefined) {
    if (state.is !== "signed-out") void endSession();
    return;
  }
  if (state.is !== "signed-out" && state.address === account.address) return;
  const kept = readKept();
  if (kept?.address === account.address && kept.expiresAtMs > Date.now() + 60_000) keep(kept);
  else void signIn(account);
}

async function endSession(): Promise<void> {
  const wasSignedIn = state.is === "signed-in";
  sessionStorage.removeItem(KEPT);
  // Asked before the token is dropped; a node that is gone forgets the session by itself within a day.
  if (wasSignedIn) void post("/v1/auth/logout").catch(() => undefined);
  setBearer(undefined);
  set({ is: "signed-out" });
}

function keep(session: Kept): void {
  sessionStorage.setItem(KEPT, JSON.stringify(session));
  if (accountState().active?.address !== session.address) return;
  setBearer(session.token);
  set({ is: "signed-in", address: session.address, token: session.token });
}

function readKept(): Kept | undefined {
  const text = sessionStorage.getItem(KEPT);
  return text === null ? undefined : (JSON.parse(text) as Kept);
}

function set(next: SessionState): void {
  if (next.is !== "signed-in") setBearer(undefined);
  state = next;
  for (const listener of listeners) listener();
}

/** The chain's id does not change while the node runs. */
let chainId: string | undefined;

export async function chainIdOfNode(): Promise<string> {
  chainId ??= (await get("/v1/network")).chain_id;
  return chainId;
}
