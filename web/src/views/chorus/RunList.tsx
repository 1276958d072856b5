import { ActionIcon, Button } from "@mantine/core";
import { useInfiniteQuery, useMutation } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { Trash2 } from "lucide-react";
import { useState } from "react";
import type { RunView } from "@/chorus/events";
import { deleteRun, runsQuery } from "@/chorus/queries";
import { beginningOf } from "@/lib/excerpt";
import { Confirm } from "@/ui/Confirm";
import { Failure, Loading } from "@/ui/States";
import { Time } from "@/ui/Time";
import classes from "./RunList.module.css";

const SHOWN_STATUS: Record<string, string> = { running: "under way", failed: "failed", cancelled: "cancelled" };

/** The reader's own runs, newest first. */
export function RunList() {
  const { data, error, refetch, hasNextPage, fetchNextPage, isFetchingNextPage } = useInfiniteQuery(runsQuery);
  const [toDelete, setToDelete] = useState<RunView>();
  if (data === undefined) {
    return error === null ? (
      <Loading what="your questions" />
    ) : (
      <Failure error={error} onRetry={() => void refetch()} what="Your questions" />
    );
  }
  const runs = data.pages.flatMap((page) => page.items);
  if (runs.length === 0) return <p className="quiet">None yet. What you ask stands here until you delete it.</p>;
  return (
    <>
      <ul className={classes.list}>
        {runs.map((run) => (
          <Row key={run.run_id} run={run} onDelete={() => setToDelete(run)} />
        ))}
      </ul>
      {hasNextPage && (
        <Button variant="default" fullWidth loading={isFetchingNextPage} onClick={() => void fetchNextPage()}>
          Show more
        </Button>
      )}
      <DeleteDialog run={toDelete} onClose={() => setToDelete(undefined)} />
    </>
  );
}

function Row({ run, onDelete }: { run: RunView; onDelete: () => void }) {
  const prompt = beginningOf(run.prompt, 160);
  const status = SHOWN_STATUS[run.status];
  return (
    <li className={classes.row}>
      <Link to="/runs/$runId" params={{ runId: run.run_id }} className={classes.prompt} dir="auto">
        {prompt}
      </Link>
      <span className={classes.facts}>
        {status !== undefined && (
          <span className={classes.status} data-status={run.status}>
            {status}
          </span>
        )}
        <Time ms={run.created_at_ms} />
        <ActionIcon
          variant="subtle"
          color="gray"
          aria-label={`Delete “${beginningOf(run.prompt, 60)}”`}
          onClick={onDelete}
        >
          <Trash2 size={15} />
        </ActionIcon>
      </span>
    </li>
  );
}

function DeleteDialog({ run, onClose }: { run: RunView | undefined; onClose: () => void }) {
  const { mutate, isPending, error, reset } = useMutation({ mutationFn: deleteRun, onSuccess: onClose });
  const close = (): void => {
    reset();
    onClose();
  };
  return (
    <Confirm
      isOpen={run !== undefined}
      title="Delete this run?"
      action="Delete"
      isPending={isPending}
      error={error}
      onConfirm={() => run !== undefined && mutate(run.run_id)}
      onClose={close}
    >
      “{beginningOf(run?.prompt, 90)}” is deleted from the node for good, with its steps and its answer. What you have
      posted from it stays.
    </Confirm>
  );
}
