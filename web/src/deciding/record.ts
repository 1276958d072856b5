import type { SpecView } from "@/api/queries";

/** What became of somebody's specs. */
export interface AuthorRecord {
  readonly approved: number;
  readonly denied: number;
  readonly expired: number;
  readonly open: number;
}

export function recordOf(specs: readonly SpecView[]): AuthorRecord {
  const count = (status: string): number => specs.filter((spec) => spec.status === status).length;
  return { approved: count("approved"), denied: count("denied"), expired: count("expired"), open: count("open") };
}

/** Whether `address` still has to vote. */
export function awaits(spec: SpecView, address: string): boolean {
  const hasVoted = spec.approvals.includes(address) || spec.denials.includes(address);
  return spec.status === "open" && spec.voters.includes(address) && !hasVoted;
}

/** The part of a spec's window that has passed, 0 … 1. */
export function elapsedShare(spec: SpecView, nowMs: number): number {
  const share = (nowMs - spec.created_at_ms) / (spec.expires_at_ms - spec.created_at_ms);
  return Math.min(1, Math.max(0, share));
}

/** What a stake becomes when `approvals` of `votes` votes approve, in uchoir (docs: settlement of a spec). */
export function settle(
  stake: bigint,
  approvals: number,
  votes: number,
): { approver: bigint; pool: bigint; thread: bigint } {
  if (approvals === votes) {
    const approver = stake / BigInt(votes);
    return { approver, pool: 0n, thread: stake - approver * BigInt(votes) };
  }
  const pool = (stake * BigInt(approvals)) / BigInt(votes);
  return { approver: 0n, pool, thread: stake - pool };
}
