import { onlineManager, useQuery } from "@tanstack/react-query";
import { CloudOff } from "lucide-react";
import { useSyncExternalStore } from "react";
import { Unreachable } from "@/api/errors";
import { networkQuery } from "@/api/queries";
import classes from "./ConnectionBar.module.css";

const PROBE_MS = 5000;

/** Says when the node cannot be reached, what still works meanwhile, and goes away by itself. */
export function ConnectionBar() {
  const isOnline = useSyncExternalStore(
    (changed) => onlineManager.subscribe(changed),
    () => onlineManager.isOnline(),
  );
  const { error, failureReason } = useQuery({
    ...networkQuery,
    refetchInterval: (query) => (isGone(query.state.error ?? query.state.fetchFailureReason) ? PROBE_MS : false),
  });
  const isLost = !isOnline || isGone(error ?? failureReason);
  return (
    <div role="status" aria-live="polite">
      {isLost && (
        <div className={classes.bar}>
          <CloudOff size={16} aria-hidden />
          <span>
            {isOnline ? "The node does not answer; trying again." : "You are offline."} What you have read stays here.
            Nothing you write is sent until the connection is back.
          </span>
        </div>
      )}
    </div>
  );
}

function isGone(error: unknown): boolean {
  return error instanceof Unreachable;
}
