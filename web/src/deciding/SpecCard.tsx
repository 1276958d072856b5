import { Link } from "@tanstack/react-router";
import type { SpecView } from "@/api/queries";
import { useAccount } from "@/keys/account";
import { Markdown } from "@/markdown/Markdown";
import { Amount } from "@/ui/Amount";
import { Encrypted } from "@/ui/Encrypted";
import { formatCount } from "@/ui/format";
import { Person } from "@/ui/Person";
import { PrivacyBadge } from "@/ui/PrivacyBadge";
import { Time } from "@/ui/Time";
import { AuthorRecordLine } from "./AuthorRecordLine";
import { Deadline } from "./Deadline";
import classes from "./Deciding.module.css";
import { PriorCards } from "./PriorCards";
import { VotePanel } from "./VotePanel";

interface Props {
  spec: SpecView;
  /** With everything that one decides by: the author's record, the priors, the deadline. */
  isFull?: boolean;
}

const OUTCOMES: Record<string, string> = {
  approved: "Approved: it joined the thread",
  denied: "Denied",
  expired: "Expired: not everybody voted in time",
  withdrawn: "Withdrawn by its author",
};

/** A spec, and what the reader can do about it. */
export function SpecCard({ spec, isFull = false }: Props) {
  const account = useAccount();
  return (
    <article className={classes.card} data-full={isFull || undefined} aria-label="Spec">
      <header className={classes.head}>
        <Person address={spec.author} size={24} />
        <span className={classes.stake}>
          staked <Amount uchoir={spec.stake} />
        </span>
        <PrivacyBadge level={spec.privacy} quiet />
        <Status spec={spec} isFull={isFull} />
      </header>
      {isFull && <AuthorRecordLine author={spec.author} />}
      <SpecText spec={spec} />
      {isFull && <PriorCards priors={spec.priors} citing={spec.spec_id} />}
      {isFull && spec.status === "open" && <Deadline spec={spec} />}
      {account !== undefined && <VotePanel account={account} spec={spec} />}
    </article>
  );
}

function SpecText({ spec }: { spec: SpecView }) {
  if (spec.privacy === "encrypted") return <Encrypted text={spec.text} />;
  if (spec.text !== null) return <Markdown text={spec.text} priors={spec.priors} citing={spec.spec_id} />;
  return <p className={classes.note}>{spec.summary ?? "Its text is for the co-authors and its author."}</p>;
}

function Status({ spec, isFull }: { spec: SpecView; isFull: boolean }) {
  const votes = spec.approvals.length + spec.denials.length;
  const words =
    spec.status === "open" ? (
      <>
        {formatCount(votes)} of {formatCount(spec.voters.length)} have voted
        {/* The whole card has its deadline below. */}
        {!isFull && (
          <>
            , ends <Time ms={spec.expires_at_ms} />
          </>
        )}
      </>
    ) : (
      (OUTCOMES[spec.status] ?? spec.status)
    );
  if (isFull) return <span className={classes.when}>{words}</span>;
  return (
    <Link to="/spec/$specId" params={{ specId: spec.spec_id }} className={classes.when}>
      {words}
    </Link>
  );
}
