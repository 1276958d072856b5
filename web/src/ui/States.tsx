import { Button, Skeleton } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import { CloudOff, RotateCw, TriangleAlert } from "lucide-react";
import type { ReactNode } from "react";
import { explain, isRefusal, Unreachable } from "@/api/errors";
import classes from "./States.module.css";

/** Nothing here, and what to do about it. */
export function Empty({ icon, title, children }: { icon?: ReactNode; title: string; children?: ReactNode }) {
  return (
    <div className={classes.state}>
      {icon !== undefined && <div className={classes.icon}>{icon}</div>}
      <h2 className={classes.title}>{title}</h2>
      {children !== undefined && <div className={classes.text}>{children}</div>}
    </div>
  );
}

/** What went wrong, and the way to try again. */
export function Failure({ error, onRetry, what }: { error: unknown; onRetry?: () => void; what: string }) {
  const isGone = error instanceof Unreachable;
  const isMissing = isRefusal(error, "NotFound");
  const title = isGone
    ? "No connection to the node"
    : isMissing
      ? "Nothing here that you may see"
      : `${what} could not be loaded`;
  return (
    <div className={classes.state} role="alert">
      <div className={classes.icon}>{isGone ? <CloudOff /> : <TriangleAlert />}</div>
      <h2 className={classes.title}>{title}</h2>
      <p className={classes.text}>
        {isMissing
          ? "It does not exist, or its authors share it with others only. Sign in with an account that may read it."
          : explain(error)}
      </p>
      {isMissing && (
        <Button variant="default" component={Link} to="/threads">
          All threads
        </Button>
      )}
      {onRetry !== undefined && !isMissing && (
        <Button variant="default" leftSection={<RotateCw size={16} />} onClick={onRetry}>
          Try again
        </Button>
      )}
    </div>
  );
}

/** Lines in the place of text that is on its way. */
export function Loading({ lines = 4, what }: { lines?: number; what: string }) {
  return (
    <div className={classes.loading} role="status" aria-label={`Loading ${what}`}>
      {Array.from({ length: lines }, (_, i) => (
        <Skeleton key={i} height={14} width={`${92 - ((i * 37) % 50)}%`} radius="sm" />
      ))}
    </div>
  );
}
