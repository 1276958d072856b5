import { Tooltip } from "@mantine/core";
import { CircleAlert, CircleSlash } from "lucide-react";
import { useMemo } from "react";
import { numberCitations } from "@/chorus/citations";
import { type RunDetail, type RunFinished, STEPS } from "@/chorus/events";
import { isOver, latestOf, type RunState } from "@/chorus/run";
import { Markdown } from "@/markdown/Markdown";
import { counted, formatDuration, formatShare } from "@/ui/format";
import { QuotesProvider } from "@/ui/quotes";
import classes from "./Answer.module.css";
import { Sources } from "./Sources";
import { STEP_FACES } from "./steps";

/** What the chorus says, or how far it is. */
export function Answer({ detail, state }: { detail: RunDetail; state: RunState }) {
  return (
    <section aria-label="Answer" aria-busy={!isOver(state)}>
      <p className="visually-hidden" role="status">
        {announce(state)}
      </p>
      {detail.is_withheld && (
        <p className={classes.withheld}>
          Part of this run was written from a message that you may no longer read. That part is not shown.
        </p>
      )}
      <Outcome state={state} />
    </section>
  );
}

function Outcome({ state }: { state: RunState }) {
  if (state.ending !== undefined) return <Finished ending={state.ending} state={state} />;
  if (state.failure !== undefined) {
    return (
      <div className={classes.failed} role="alert">
        <CircleAlert size={20} aria-hidden />
        <div>
          <strong>The run has failed.</strong>
          <p>{state.failure.message}</p>
        </div>
      </div>
    );
  }
  if (state.status === "cancelled") {
    return (
      <div className={classes.cancelled}>
        <CircleSlash size={18} aria-hidden /> Cancelled before there was an answer.
      </div>
    );
  }
  return <UnderWay state={state} />;
}

/** The step under way; the answer itself as soon as it is being written, as plain text, for it is not checked yet. */
function UnderWay({ state }: { state: RunState }) {
  const answer = latestOf(state, "yield");
  if (state.step === "yield" && answer !== undefined && answer.text !== "") {
    return (
      <p className={classes.draft} dir="auto">
        {answer.text}
        <span className={classes.caret} aria-hidden />
      </p>
    );
  }
  return (
    <div className={classes.waiting}>
      <span className={classes.pulse} aria-hidden />
      <div>
        <strong>{progressOf(state)}</strong>
        <p>{state.step === undefined ? "It begins in a moment." : `${STEP_FACES[state.step].means}.`}</p>
      </div>
    </div>
  );
}

function Finished({ ending, state }: { ending: RunFinished; state: RunState }) {
  const { text, sources } = useMemo(() => numberCitations(ending.answer, ending.citations), [ending]);
  const hashes = useMemo(() => sources.map(([citation]) => citation.content_hash), [sources]);
  const quotes = useMemo(
    () =>
      new Map(
        sources.map((citations) => [citations[0].content_hash, [...new Set(citations.map(({ quote }) => quote))]]),
      ),
    [sources],
  );
  return (
    <>
      <QuotesProvider value={quotes}>
        <Markdown text={text} priors={hashes} />
      </QuotesProvider>
      <AnswerFacts ending={ending} isExtractive={state.isExtractive} />
      <Sources sources={sources} priors={state.priors} />
    </>
  );
}

function AnswerFacts({ ending, isExtractive }: { ending: RunFinished; isExtractive: boolean }) {
  const tokens = ending.usage.input_tokens + ending.usage.output_tokens;
  return (
    <div className={classes.facts}>
      <Tooltip
        multiline
        maw={280}
        label={
          isExtractive
            ? "How many of the question's words stand in the quoted sentences. It says nothing about whether they are right."
            : "The model's own estimate of how sure it is. Judge by the citations."
        }
      >
        {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what it means is told on focus too */}
        <span className={classes.confidence} tabIndex={0}>
          <span className={classes.meter} aria-hidden>
            <span style={{ width: `${Math.round(ending.confidence * 100)}%` }} />
          </span>
          {formatShare(ending.confidence)} {isExtractive ? "of the question's words found" : "confidence"}
        </span>
      </Tooltip>
      {ending.rounds > 1 && <span>{counted(ending.rounds, "round")}</span>}
      <span>{formatDuration(ending.took_ms)}</span>
      {tokens > 0 && <span>{counted(tokens, "token")}</span>}
      {ending.removed_citations > 0 && (
        <Tooltip multiline maw={280} label="They named messages that were not given, or words that do not stand there.">
          {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what it means is told on focus too */}
          <span tabIndex={0}>{counted(ending.removed_citations, "citation")} did not hold and left out</span>
        </Tooltip>
      )}
    </div>
  );
}

export function progressOf(state: RunState): string {
  const round = state.rounds.length > 1 ? `, round ${state.rounds.length}` : "";
  if (state.step === undefined) return `The chorus is at work${round}`;
  return `Step ${STEPS.indexOf(state.step) + 1} of ${STEPS.length}: ${STEP_FACES[state.step].label}${round}`;
}

function announce(state: RunState): string {
  if (state.status === "finished") return "The answer is there.";
  return isOver(state) ? "" : progressOf(state);
}
