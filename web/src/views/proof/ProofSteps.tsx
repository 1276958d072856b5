import { BadgeCheck, CircleCheck, CircleMinus, CircleX, ShieldX } from "lucide-react";
import { type Check, type CheckResult, isProven, type Proof } from "@/lib/proofs";
import { formatCount, formatDateTime, shortHash } from "@/ui/format";
import classes from "./ProofView.module.css";

const WORDS: Record<Check, { title: string; means: string }> = {
  content: { title: "The text", means: "Text, salt, author and thread hash to what the author signed." },
  transaction: { title: "The transaction", means: "Its hash is the one that the receipt is for." },
  receipt: { title: "The receipt", means: "The transaction took effect, in this block." },
  transaction_path: { title: "Its place in the block", means: "From its hash, the Merkle path leads to the header." },
  receipt_path: { title: "The receipt's place", means: "From the receipt, the Merkle path leads to the header." },
  header: { title: "The signature", means: "A trusted validator has signed the header." },
};

/** The verdict, and every step that led to it. */
export function ProofSteps({ proof, steps }: { proof: Proof; steps: readonly CheckResult[] }) {
  const holds = isProven(steps);
  const { height, time_ms } = proof.signed_header.header;
  return (
    <>
      <div className={classes.verdict} data-holds={holds} role="status">
        {holds ? <BadgeCheck size={34} aria-hidden /> : <ShieldX size={34} aria-hidden />}
        <div>
          <h2>{holds ? "It holds" : "It does not hold"}</h2>
          <p>
            {holds
              ? `Committed in block ${formatCount(height)} on ${formatDateTime(time_ms)}.`
              : "At least one step fails. Do not rely on what you were shown."}
          </p>
        </div>
      </div>
      <ol className={classes.steps}>
        {steps.map((step) => (
          <Step key={step.check} step={step} />
        ))}
      </ol>
    </>
  );
}

function Step({ step }: { step: CheckResult }) {
  const { title, means } = WORDS[step.check];
  const state = step.problem !== undefined ? "fails" : step.skipped === true ? "skipped" : "holds";
  const Icon = { fails: CircleX, skipped: CircleMinus, holds: CircleCheck }[state];
  return (
    <li className={classes.step} data-state={state}>
      <Icon size={19} aria-label={state} />
      <div>
        <h3>{title}</h3>
        <p>
          {step.skipped === true
            ? "The proof comes without it: it is not for you to read, or erased."
            : (step.problem ?? means)}
        </p>
        {step.found !== "" && <code title={step.found}>{shortHash(step.found)}</code>}
      </div>
    </li>
  );
}
