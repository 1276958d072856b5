import { Button, Tooltip } from "@mantine/core";
import { useMutation, useQuery } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { ArrowLeft, CircleStop, RotateCcw, Trash2 } from "lucide-react";
import { useState } from "react";
import { explain } from "@/api/errors";
import { titleQuery } from "@/api/queries";
import type { RunDetail } from "@/chorus/events";
import { cancelRun, deleteRun } from "@/chorus/queries";
import { isOver, type RunState } from "@/chorus/run";
import { startRun } from "@/chorus/watching";
import { Confirm } from "@/ui/Confirm";
import { Time } from "@/ui/Time";
import { KeepButton } from "./KeepButton";
import classes from "./RunHeader.module.css";

/** The question, where and when it was asked, and what can be done with the run. */
export function RunHeader({ detail, state }: { detail: RunDetail; state: RunState }) {
  const isLong = detail.prompt.length > 140;
  return (
    <header className={classes.header}>
      <Link to="/runs" className={classes.back}>
        <ArrowLeft size={15} aria-hidden className="flips" /> Your questions
      </Link>
      <h1 className={classes.question} data-long={isLong || undefined} dir="auto">
        {detail.prompt}
      </h1>
      <div className={classes.meta}>
        <Time ms={detail.created_at_ms} />
        {detail.thread_id !== null && <AskedIn threadId={detail.thread_id} />}
        <ModelBadge state={state} />
        <Actions detail={detail} state={state} />
      </div>
    </header>
  );
}

function AskedIn({ threadId }: { threadId: string }) {
  const { data: title } = useQuery(titleQuery(threadId));
  return (
    <span className={classes.thread}>
      in{" "}
      <Link to="/thread/$threadId" params={{ threadId }} dir="auto">
        {title ?? "a thread"}
      </Link>
    </span>
  );
}

/** Which model wrote; or that none did. */
export function ModelBadge({ state }: { state: RunState }) {
  const models = [...new Set(Object.values(state.models))];
  if (models.length === 0) return null;
  if (state.isExtractive) {
    return (
      <Tooltip
        multiline
        maw={300}
        label="No language model writes here. The answer is made of sentences of the messages found, word for word."
      >
        {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what it means is told on focus too */}
        <span className={classes.badge} tabIndex={0}>
          Extractive
        </span>
      </Tooltip>
    );
  }
  return <span>written by {models.join(", ")}</span>;
}

function Actions({ detail, state }: { detail: RunDetail; state: RunState }) {
  return (
    <div className={classes.actions}>
      {isOver(state) ? (
        <>
          <KeepButton detail={detail} />
          <AskAgain detail={detail} />
          <Delete runId={detail.run_id} />
        </>
      ) : (
        <Cancel runId={detail.run_id} />
      )}
    </div>
  );
}

function Cancel({ runId }: { runId: string }) {
  const { mutate, isPending, error } = useMutation({ mutationFn: () => cancelRun(runId) });
  return (
    <>
      <Button
        size="xs"
        variant="default"
        leftSection={<CircleStop size={15} />}
        loading={isPending}
        onClick={() => mutate()}
      >
        Cancel
      </Button>
      {error !== null && <Problem error={error} />}
    </>
  );
}

function AskAgain({ detail }: { detail: RunDetail }) {
  const navigate = useNavigate();
  const { mutate, isPending, error } = useMutation({
    mutationFn: () => startRun(detail.prompt, detail.thread_id ?? undefined),
    onSuccess: (runId) => navigate({ to: "/runs/$runId", params: { runId } }),
  });
  return (
    <>
      <Button
        size="xs"
        variant="default"
        leftSection={<RotateCcw size={15} />}
        loading={isPending}
        onClick={() => mutate()}
      >
        Ask again
      </Button>
      {error !== null && <Problem error={error} />}
    </>
  );
}

function Delete({ runId }: { runId: string }) {
  const [isAsking, setIsAsking] = useState(false);
  const navigate = useNavigate();
  const { mutate, isPending, error } = useMutation({
    mutationFn: () => deleteRun(runId),
    onSuccess: () => navigate({ to: "/runs" }),
  });
  return (
    <>
      <Button size="xs" variant="default" leftSection={<Trash2 size={15} />} onClick={() => setIsAsking(true)}>
        Delete
      </Button>
      <Confirm
        isOpen={isAsking}
        title="Delete this run?"
        action="Delete"
        isPending={isPending}
        error={error}
        onConfirm={() => mutate()}
        onClose={() => setIsAsking(false)}
      >
        Question, steps and answer are deleted from the node for good. What you have posted from it stays.
      </Confirm>
    </>
  );
}

function Problem({ error }: { error: unknown }) {
  return (
    <span className={classes.problem} role="alert">
      {explain(error)}
    </span>
  );
}
