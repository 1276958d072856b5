import { useEffect, useState } from "react";
import { formatDateTime, formatRelative } from "./format";

const MINUTE_MS = 60_000;

/** A moment as "5 minutes ago", exact in its title, kept up to date while it is shown. */
export function Time({ ms }: { ms: number }) {
  const [, tick] = useState(0);
  useEffect(() => {
    const timer = setInterval(() => tick((n) => n + 1), MINUTE_MS);
    return () => clearInterval(timer);
  }, []);
  return (
    <time dateTime={new Date(ms).toISOString()} title={formatDateTime(ms)}>
      {formatRelative(ms)}
    </time>
  );
}
