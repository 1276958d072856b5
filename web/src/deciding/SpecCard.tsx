import { Button } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { Check, Undo2, X } from "lucide-react";
import { refreshAfter, type SpecView } from "@/api/queries";
import { submit } from "@/api/submit";
import { type Account, useAccount } from "@/keys/account";
import type { Body } from "@/lib/transactions";
import { Markdown } from "@/markdown/Markdown";
import { Amount } from "@/ui/Amount";
import { formatCount } from "@/ui/format";
import { tell, tellError } from "@/ui/notify";
import { Person } from "@/ui/Person";
import { PrivacyBadge } from "@/ui/PrivacyBadge";
import { Time } from "@/ui/Time";
import classes from "./SpecCard.module.css";

/** A spec with its stake and deadline, and what the reader can do about it: vote, or take it back. */
export function SpecCard({ spec }: { spec: SpecView }) {
  const account = useAccount();
  const votes = spec.approvals.length + spec.denials.length;
  return (
    <article className={classes.card} id={`spec-${spec.spec_id}`}>
      <header className={classes.head}>
        <Person address={spec.author} size={24} />
        <span className={classes.stake}>
          stakes <Amount uchoir={spec.stake} />
        </span>
        <PrivacyBadge level={spec.privacy} quiet />
        <span className={classes.when}>
          {spec.status === "open" ? (
            <>
              {formatCount(votes)} of {formatCount(spec.voters.length)} have voted, ends{" "}
              <Time ms={spec.expires_at_ms} />
            </>
          ) : (
            spec.status
          )}
        </span>
      </header>
      {spec.text === null ? (
        <p className={classes.hidden}>{spec.summary ?? "Its text is for the co-authors and its author."}</p>
      ) : (
        <Markdown text={spec.text} priors={spec.priors} citing={spec.spec_id} />
      )}
      {account !== undefined && spec.status === "open" && <Actions account={account} spec={spec} />}
    </article>
  );
}

function Actions({ account, spec }: { account: Account; spec: SpecView }) {
  const send = useMutation({
    mutationFn: (body: Body) => submit(account, body),
    onSuccess: async (_, body) => {
      tell(body.type === "withdraw_spec" ? "Withdrawn. Your stake is back." : "Your vote is final.");
      await refreshAfter(account.address, spec.thread_id);
    },
    onError: (error) => tellError("The ledger did not take it", error),
  });
  const hasVoted = spec.approvals.includes(account.address) || spec.denials.includes(account.address);
  if (spec.author === account.address) {
    const hasBegun = spec.approvals.length + spec.denials.length > 0;
    return (
      <footer className={classes.actions}>
        <Button
          variant="default"
          size="sm"
          leftSection={<Undo2 size={16} />}
          disabled={hasBegun}
          loading={send.isPending}
          onClick={() => send.mutate({ type: "withdraw_spec", spec_id: spec.spec_id })}
        >
          Withdraw
        </Button>
        <span className="quiet">
          {hasBegun ? "Voting has begun: it cannot be withdrawn any more." : "The whole stake comes back."}
        </span>
      </footer>
    );
  }
  if (!spec.voters.includes(account.address)) return null;
  if (hasVoted)
    return <p className={classes.hidden}>You {spec.approvals.includes(account.address) ? "approved" : "denied"} it.</p>;
  return (
    <footer className={classes.actions}>
      <Button
        size="sm"
        leftSection={<Check size={17} />}
        loading={send.isPending && send.variables?.type === "process_approval" && send.variables.approve}
        disabled={send.isPending}
        onClick={() => send.mutate({ type: "process_approval", spec_id: spec.spec_id, approve: true })}
      >
        Approve
      </Button>
      <Button
        size="sm"
        variant="default"
        leftSection={<X size={17} />}
        loading={send.isPending && send.variables?.type === "process_approval" && !send.variables.approve}
        disabled={send.isPending}
        onClick={() => send.mutate({ type: "process_approval", spec_id: spec.spec_id, approve: false })}
      >
        Deny
      </Button>
      <span className="quiet">A vote is final.</span>
    </footer>
  );
}
