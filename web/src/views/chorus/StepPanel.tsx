import type { ReactNode } from "react";
import type { RunFinished, StepName, StepOutput } from "@/chorus/events";
import type { RoundState, RunState, StepState } from "@/chorus/run";
import { Markdown } from "@/markdown/Markdown";
import { counted, formatDuration, formatShare } from "@/ui/format";
import { PriorCard } from "./PriorCard";
import classes from "./StepPanel.module.css";
import { STEP_FACES } from "./steps";

interface Props {
  name: StepName;
  step: StepState | undefined;
  round: RoundState | undefined;
  state: RunState;
}

/** Without a language model nobody judges: the share is counted. */
const WORDS_FOUND = "The question's words that were found";

/** What a step does, writes, and has given. */
export function StepPanel({ name, step, round, state }: Props) {
  return (
    <div className={classes.panel}>
      <p className={classes.means}>
        {STEP_FACES[name].means}.{step?.tookMs !== undefined && <span> {formatDuration(step.tookMs)}</span>}
      </p>
      {round?.isVoid === true && (
        <p className={classes.void}>A message of this round may not be read any more. The round counts no more.</p>
      )}
      {step?.error !== undefined && (
        <p className={classes.failed}>
          {step.error} {step.attempt === 1 ? "It is tried once more." : ""}
        </p>
      )}
      {name === "experience" && round !== undefined && <Found round={round} state={state} />}
      <Written name={name} step={step} state={state} />
    </div>
  );
}

function Written({ name, step, state }: { name: StepName; step: StepState | undefined; state: RunState }) {
  if (step?.output?.step === "yield" && state.ending !== undefined)
    return <Given state={state} ending={state.ending} />;
  if (step?.output !== undefined) return <Output output={step.output} isExtractive={state.isExtractive} />;
  if (step === undefined) return <p className={classes.none}>{isDone(state) ? "Not reached." : "Not begun yet."}</p>;
  if (step.text !== "") {
    return (
      <p className={classes.text} dir="auto">
        {step.text}
      </p>
    );
  }
  if (step.status === "writing") {
    return <p className={classes.none}>{name === "experience" ? "Searching and reading…" : "Thinking…"}</p>;
  }
  return null;
}

function isDone(state: RunState): boolean {
  return state.status !== "running" && state.status !== "starting";
}

function Found({ round, state }: { round: RoundState; state: RunState }) {
  const priors = round.found.flatMap((id) => state.priors.get(id) ?? []);
  if (round.query === undefined) return null;
  return (
    <section className={classes.found}>
      <h3>{priors.length === 0 ? "No message found" : `${counted(priors.length, "message")} found`}</h3>
      <ul className={classes.cards}>
        {priors.map((prior) => (
          <PriorCard key={prior.id} prior={prior} isRemoved={state.removed.has(prior.id)} />
        ))}
      </ul>
    </section>
  );
}

function Output({ output, isExtractive }: { output: StepOutput; isExtractive: boolean }) {
  switch (output.step) {
    case "action":
      return (
        <>
          <Markdown text={output.initial_response} />
          {!isExtractive && <Share name="Confidence" share={output.confidence} />}
        </>
      );
    case "experience":
      return (
        <>
          <Items title="What they say together" items={output.patterns} />
          <Items title="Insights" items={output.insights} />
        </>
      );
    case "intention":
      return (
        <>
          <Items title="Goals" items={output.goals} />
          <Items title="Limits" items={output.constraints} />
          <Items title="What a good answer brings" items={output.expected_outcomes} />
        </>
      );
    case "observation":
      return (
        <>
          <Markdown text={output.analysis} />
          <Items title="Patterns" items={output.patterns} />
          <Share name={isExtractive ? WORDS_FOUND : "Quality of the answer so far"} share={output.quality} />
        </>
      );
    case "update":
      return (
        <>
          <Items title="Refinements" items={output.refinements} />
          <Items title="Learnings" items={output.learnings} />
          <p className={classes.none}>{output.loop ? "Another round was asked for." : "No other round is needed."}</p>
        </>
      );
    case "yield":
      return (
        <>
          <Markdown text={output.final_response} />
          <Share name={isExtractive ? WORDS_FOUND : "Confidence"} share={output.confidence} />
        </>
      );
  }
}

/** What was given out stands with the answer; here is how it was checked. */
function Given({ state, ending }: { state: RunState; ending: RunFinished }) {
  const left = ending.removed_citations;
  return (
    <>
      <p className={classes.text}>
        The answer is given. {counted(ending.citations.length, "citation")} checked: each quotes words that stand in a
        message which you may read.
        {left > 0 && ` ${counted(left, "other")} did not hold and ${left === 1 ? "was" : "were"} left out.`}
      </p>
      <p className={classes.none}>
        {counted(state.priors.size, "message")} read in {counted(ending.rounds, "round")}.
      </p>
      <Share name={state.isExtractive ? WORDS_FOUND : "Confidence"} share={ending.confidence} />
    </>
  );
}

function Items({ title, items }: { title: string; items: readonly unknown[] }): ReactNode {
  if (items.length === 0) return null;
  return (
    <section className={classes.items}>
      <h3>{title}</h3>
      <ul>
        {items.map((item, at) => (
          <li key={at} dir="auto">
            {String(item)}
          </li>
        ))}
      </ul>
    </section>
  );
}

function Share({ name, share }: { name: string; share: number }) {
  return (
    <p className={classes.none}>
      {name}: <strong className="number">{formatShare(share)}</strong>
    </p>
  );
}
