import { onlineManager, useQuery } from "@tanstack/react-query";
import { CloudOff, RefreshCw } from "lucide-react";
import { useEffect, useState, useSyncExternalStore } from "react";
import { Unreachable } from "@/api/errors";
import { networkQuery } from "@/api/queries";
import { live, useLiveStatus } from "@/live/connection";
import classes from "./ConnectionBar.module.css";

const PROBE_MS = 5000;
/** A connection that is back within this time is nothing to speak of. */
const PATIENCE_MS = 1500;

/** Says when the node cannot be reached, what still works meanwhile, and goes away by itself. */
export function ConnectionBar() {
  const status = useLiveStatus();
  const isLost = useIsLost(status.is === "reconnecting");
  const isOnline = useSyncExternalStore(
    (changed) => onlineManager.subscribe(changed),
    () => onlineManager.isOnline(),
  );
  const { error, failureReason, dataUpdatedAt, refetch } = useQuery({
    ...networkQuery,
    refetchInterval: isLost ? PROBE_MS : false,
    retry: false,
  });
  // The node answers again: the live connection need not wait out its pause.
  useEffect(() => {
    if (dataUpdatedAt > 0) live.retryNow();
  }, [dataUpdatedAt]);
  const isGone = !isOnline || error instanceof Unreachable || failureReason instanceof Unreachable;
  useEffect(() => {
    if (isLost) void refetch();
  }, [isLost, refetch]);
  return (
    <div role="status" aria-live="polite" aria-label="Connection">
      {isLost && (isGone ? <Offline /> : <Reconnecting />)}
    </div>
  );
}

function Offline() {
  return (
    <div className={classes.bar}>
      <CloudOff size={16} aria-hidden />
      <span>Offline: you read what is cached; nothing is sent.</span>
      <TryNow />
    </div>
  );
}

function Reconnecting() {
  return (
    <div className={classes.bar}>
      <RefreshCw size={16} aria-hidden />
      <span>Reconnecting… What is new shows once the connection is back.</span>
      <TryNow />
    </div>
  );
}

function TryNow() {
  return (
    <button type="button" className={classes.retry} onClick={() => live.retryNow()}>
      Try now
    </button>
  );
}

function useIsLost(isReconnecting: boolean): boolean {
  const [isLost, setIsLost] = useState(false);
  useEffect(() => {
    if (!isReconnecting) {
      setIsLost(false);
      return;
    }
    const timer = setTimeout(() => setIsLost(true), PATIENCE_MS);
    return () => clearTimeout(timer);
  }, [isReconnecting]);
  return isLost;
}
