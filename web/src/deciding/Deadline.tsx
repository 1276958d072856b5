import { Progress } from "@mantine/core";
import type { SpecView } from "@/api/queries";
import { formatDateTime } from "@/ui/format";
import { Time } from "@/ui/Time";
import classes from "./Deciding.module.css";
import { elapsedShare } from "./record";

const LATE = 0.85;

/** How much of the time to vote is left. */
export function Deadline({ spec }: { spec: SpecView }) {
  const share = elapsedShare(spec, Date.now());
  return (
    <div className={classes.deadline}>
      <Progress
        size="xs"
        value={share * 100}
        color={share > LATE ? "orange" : "iris"}
        aria-label={`Time to vote: ends ${formatDateTime(spec.expires_at_ms)}`}
      />
      <p>
        Ends <Time ms={spec.expires_at_ms} /> – {formatDateTime(spec.expires_at_ms)}
      </p>
    </div>
  );
}
