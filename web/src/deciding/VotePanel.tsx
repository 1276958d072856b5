import { Button } from "@mantine/core";
import { Check, Undo2, X } from "lucide-react";
import { refreshAfter, type SpecView } from "@/api/queries";
import { submit } from "@/api/submit";
import { useOnce } from "@/api/useOnce";
import type { Account } from "@/keys/account";
import { formatChoir } from "@/lib/amounts";
import type { Body } from "@/lib/transactions";
import { tell, tellError } from "@/ui/notify";
import classes from "./Deciding.module.css";
import { awaits, settle } from "./record";

/** What the reader can do about an open spec, with what it leads to: vote, or take it back. */
export function VotePanel({ account, spec }: { account: Account; spec: SpecView }) {
  const send = useOnce({
    mutationFn: (body: Body) => submit(account, body),
    onSuccess: async (_, body) => {
      tell(body.type === "withdraw_spec" ? "Withdrawn. Your stake is back." : "Your vote is final.");
      await refreshAfter(account.address, spec.thread_id);
    },
    onError: (error) => tellError("The ledger did not take it", error),
  });
  if (spec.status !== "open") return null;
  if (spec.author === account.address) {
    return (
      <Withdraw
        hasBegun={spec.approvals.length + spec.denials.length > 0}
        isBusy={send.isPending}
        onWithdraw={() => send.mutate({ type: "withdraw_spec", spec_id: spec.spec_id })}
      />
    );
  }
  if (awaits(spec, account.address)) {
    const sent = send.variables?.type === "process_approval" ? send.variables.approve : undefined;
    return (
      <Vote
        spec={spec}
        busy={send.isPending ? sent : undefined}
        onVote={(approve) => send.mutate({ type: "process_approval", spec_id: spec.spec_id, approve })}
      />
    );
  }
  if (spec.approvals.includes(account.address)) return <p className={classes.note}>You approved it.</p>;
  if (spec.denials.includes(account.address)) return <p className={classes.note}>You denied it.</p>;
  if (spec.voters.includes(account.address)) return null;
  return <p className={classes.note}>Those who were co-authors when it was submitted decide.</p>;
}

interface VoteProps {
  spec: SpecView;
  /** The vote that is on its way. */
  busy: boolean | undefined;
  onVote: (approve: boolean) => void;
}

function Vote({ spec, busy, onVote }: VoteProps) {
  const voters = spec.voters.length;
  const stake = BigInt(spec.stake);
  const { approver } = settle(stake, voters, voters);
  const others = voters - 1 - spec.approvals.length - spec.denials.length;
  const condition = others > 0 || spec.denials.length > 0 ? "If all approve, it" : "It";
  return (
    <footer className={classes.actions}>
      <div>
        <Button
          leftSection={<Check size={17} />}
          loading={busy === true}
          disabled={busy === false}
          onClick={() => onVote(true)}
        >
          Approve
        </Button>
        <small>
          {spec.denials.length > 0
            ? "It has been denied already: it will not join, whatever you vote."
            : `${condition} joins the thread, its author becomes a co-author, and you get ${formatChoir(approver)} CHOIR.`}
        </small>
      </div>
      <div>
        <Button
          variant="default"
          leftSection={<X size={17} />}
          loading={busy === false}
          disabled={busy === true}
          onClick={() => onVote(false)}
        >
          Deny
        </Button>
        <small>
          It does not join.{" "}
          {voters === 1
            ? `The thread keeps ${formatChoir(stake)} CHOIR.`
            : "The thread keeps the deniers' part of the stake."}{" "}
          A vote is final.
        </small>
      </div>
    </footer>
  );
}

function Withdraw({ hasBegun, isBusy, onWithdraw }: { hasBegun: boolean; isBusy: boolean; onWithdraw: () => void }) {
  return (
    <footer className={classes.actions}>
      <div>
        <Button
          variant="default"
          leftSection={<Undo2 size={16} />}
          disabled={hasBegun}
          loading={isBusy}
          onClick={onWithdraw}
        >
          Withdraw
        </Button>
        <small>
          {hasBegun
            ? "Voting has begun: it cannot be withdrawn any more."
            : "Nobody has voted yet: the whole stake comes back."}
        </small>
      </div>
    </footer>
  );
}
