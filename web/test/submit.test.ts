import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Refused, Unreachable } from "@/api/errors";
import { checkChallenge } from "@/api/session";
import { OutcomeUnknown, RETRY_MS, submit } from "@/api/submit";
import type { Account } from "@/keys/account";
import { fromHex, utf8 } from "@/lib/bytes";
import { isValidSignature, keyFromSeed, sign } from "@/lib/ed25519";
import { signingBytes, type Transaction } from "@/lib/transactions";

const RECEIPT = { code: 0, name: "Ok", detail: "", height: 3, index: 0, time_ms: 1, tx_hash: "ab" };
const BODY = { type: "transfer" as const, to: "x", amount: "5" };

interface Call {
  path: string;
  body: string | undefined;
}

/** A node that answers as told: each answer to `POST /v1/tx` in turn, the last one from then on. */
function fakeNode(answers: (() => Response)[], lookup: () => Response = () => refusal("NotFound", 404)): Call[] {
  const calls: Call[] = [];
  vi.stubGlobal("fetch", async (url: string, init: RequestInit) => {
    const path = url.split("?")[0] ?? "";
    calls.push({ path, body: init.body as string | undefined });
    if (path === "/v1/network") return ok({ chain_id: "choir-test" });
    if (path.startsWith("/v1/account/")) return ok({ nonce: calls.filter((call) => call.path === "/v1/tx").length });
    if (path.startsWith("/v1/tx/")) return lookup();
    const answer = answers.length > 1 ? answers.shift() : answers[0];
    return answer?.();
  });
  return calls;
}

const ok = (data: unknown): Response => Response.json({ data, error: null });
const refusal = (name: string, status: number): Response =>
  Response.json({ data: null, error: { code: 1, name, message: `${name}.` } }, { status });
const lost = (): Response => {
  throw new TypeError("network");
};

async function makeAccount(): Promise<Account> {
  const key = await keyFromSeed(fromHex("01".repeat(32)));
  return { address: key.address, holder: "browser", sign: (message) => sign(key.privateKey, message) };
}

/** Lets all the waiting between attempts pass at once. */
async function runOut<T>(work: Promise<T>): Promise<T> {
  let isSettled = false;
  const settle = (): void => {
    isSettled = true;
  };
  work.then(settle, settle);
  while (!isSettled) {
    // Signing takes real time, waiting takes none.
    await new Promise((resolve) => setImmediate(resolve));
    await vi.advanceTimersByTimeAsync(Math.max(...RETRY_MS));
  }
  return work;
}

describe("submit", () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] }));
  afterEach(() => {
    vi.useRealTimers();
    vi.unstubAllGlobals();
  });

  it("signs what the ledger checks, and returns the receipt", async () => {
    const account = await makeAccount();
    const calls = fakeNode([() => ok(RECEIPT)]);
    expect(await submit(account, BODY)).toEqual(RECEIPT);
    const { tx } = JSON.parse(calls.at(-1)?.body ?? "") as { tx: Transaction };
    const { signature, ...unsigned } = tx;
    expect(unsigned).toMatchObject({ chain_id: "choir-test", nonce: 0, sender: account.address, body: BODY });
    expect(await isValidSignature(account.address, signingBytes(unsigned), signature)).toBe(true);
  });

  it("sends the very same bytes again after a lost answer", async () => {
    const stages: string[] = [];
    const calls = fakeNode([lost, lost, () => ok(RECEIPT)]);
    await runOut(submit(await makeAccount(), BODY, undefined, { onStage: (stage) => stages.push(stage) }));
    const sent = calls.filter((call) => call.path === "/v1/tx").map((call) => call.body);
    expect(sent).toHaveLength(3);
    expect(new Set(sent).size).toBe(1);
    expect(stages).toEqual(["signing", "sending", "retrying", "retrying"]);
  });

  it("does not send again what was refused", async () => {
    const calls = fakeNode([() => refusal("InsufficientFunds", 409)]);
    await expect(submit(await makeAccount(), BODY)).rejects.toThrow(Refused);
    expect(calls.filter((call) => call.path === "/v1/tx")).toHaveLength(1);
  });

  it("asks what became of it when every answer was lost", async () => {
    fakeNode([lost], () => ok({ receipt: RECEIPT }));
    expect(await runOut(submit(await makeAccount(), BODY))).toEqual(RECEIPT);
    fakeNode([lost]);
    await expect(runOut(submit(await makeAccount(), BODY))).rejects.toThrow(Unreachable);
    fakeNode([lost], lost);
    await expect(runOut(submit(await makeAccount(), BODY))).rejects.toThrow(OutcomeUnknown);
  });

  it("signs an account's transactions one after the other, each with its own nonce", async () => {
    const account = await makeAccount();
    const calls = fakeNode([() => refusal("InsufficientFunds", 409), () => ok(RECEIPT)]);
    const [first, second] = await Promise.allSettled([submit(account, BODY), submit(account, BODY)]);
    expect([first?.status, second?.status]).toEqual(["rejected", "fulfilled"]);
    const nonces = calls.filter((call) => call.path === "/v1/tx").map((call) => JSON.parse(call.body ?? "").tx.nonce);
    expect(nonces).toEqual([0, 1]);
  });
});

describe("what a node may ask to be signed", () => {
  const challenge = "127.0.0.1 wants you to sign in with your Solana account:\nADDRESS\n\nSign in to Choir.";

  it("is a sign-in for this account", () => {
    expect(() => checkChallenge(challenge, "ADDRESS")).not.toThrow();
  });

  it.each([
    ["another account's", challenge.replace("ADDRESS", "OTHER")],
    ["a transaction", `choir-tx-v1:{"body":{}}`],
    ["a transaction that looks like one", `choir-tx-v1: wants you to sign in with your Solana account:\nADDRESS`],
    ["nothing", ""],
  ])("is not %s", (_, message) => {
    expect(() => checkChallenge(message, "ADDRESS")).toThrow("Nothing was signed");
  });

  it("never shares its first bytes with a transaction", () => {
    expect(utf8(challenge).slice(0, 6)).not.toEqual(utf8("choir-"));
  });
});
