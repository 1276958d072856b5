import { useQuery } from "@tanstack/react-query";
import { useParams } from "@tanstack/react-router";
import { useEffect } from "react";
import { useSession } from "@/api/session";
import type { RunDetail } from "@/chorus/events";
import { runQuery } from "@/chorus/queries";
import { EMPTY_RUN, isOver, type RunState, reduceAll } from "@/chorus/run";
import { useWatch, type Watch, watchRun } from "@/chorus/watching";
import { beginningOf } from "@/lib/excerpt";
import { Failure, Loading } from "@/ui/States";
import { useTitle } from "@/ui/useTitle";
import { Answer } from "./Answer";
import { RunHeader } from "./RunHeader";
import classes from "./RunView.module.css";
import { SignInToAsk } from "./SignInToAsk";
import { Steps } from "./Steps";

const KEPT_MS = 500;

/** A question, how the chorus comes to its answer, and the answer. */
export function RunView() {
  const { runId } = useParams({ from: "/runs/$runId" });
  const session = useSession();
  const isSignedIn = session.is === "signed-in";
  const watch = useWatch(runId);
  const hasEnded = watch !== undefined && isOver(watch.state);
  const query = useQuery({
    ...runQuery(runId),
    enabled: isSignedIn,
    // The stream may tell the end before what is kept of the run says so.
    refetchInterval: ({ state }) => (hasEnded && state.data?.status === "running" ? KEPT_MS : false),
  });
  const detail = query.data;
  useTitle(detail === undefined ? "Question" : beginningOf(detail.prompt, 60));
  const isRunning = detail?.status === "running";
  useEffect(() => {
    if (isSignedIn && isRunning) watchRun(runId);
  }, [isSignedIn, isRunning, runId]);
  if (!isSignedIn && session.is !== "signing-in") return <SignInToAsk />;
  if (detail === undefined) {
    return query.error === null ? (
      <Loading what="the run" lines={8} />
    ) : (
      <Failure error={query.error} onRetry={() => void query.refetch()} what="The run" />
    );
  }
  return <Run key={runId} detail={detail} state={stateOf(detail, watch)} watch={watch} />;
}

/** What is kept of an ended run is the truth; of one under way the stream knows more. */
function stateOf(detail: RunDetail, watch: Watch | undefined): RunState {
  if (detail.status === "running" && watch !== undefined && watch.state !== EMPTY_RUN) return watch.state;
  return reduceAll(detail.events);
}

function Run({ detail, state, watch }: { detail: RunDetail; state: RunState; watch: Watch | undefined }) {
  const isLost = !isOver(state) && watch?.connection === "lost";
  return (
    <article className={classes.run} aria-label="Run of the chorus">
      <div className={classes.reading}>
        <RunHeader detail={detail} state={state} />
        {isLost && (
          <p className={classes.notice} role="status">
            The connection is lost. What happens meanwhile shows here once it is back.
          </p>
        )}
        {watch?.error != null && !isOver(state) && (
          <Failure error={watch.error} onRetry={() => watchRun(detail.run_id)} what="The run" />
        )}
        <Answer detail={detail} state={state} />
      </div>
      <Steps state={state} />
    </article>
  );
}
