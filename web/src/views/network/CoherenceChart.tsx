import { formatCount, formatDateTime } from "@/ui/format";
import classes from "./Coherence.module.css";
import { HEIGHT, heightOf, INSET, pathOf, runsOf, SERIES, WIDTH } from "./chart";
import { formatMillionths } from "./measured";
import type { Epoch } from "./queries";

const GRID: readonly (readonly [label: string, millionths: number])[] = [
  ["1", 1_000_000],
  ["0.5", 500_000],
  ["0", 0],
];

/** Ĉ, λ and Ψ over the measured epochs, oldest at the start. The table below has the same in numbers. */
export function CoherenceChart({ epochs }: { epochs: readonly Epoch[] }) {
  const oldest = epochs.at(-1);
  const newest = epochs[0];
  if (oldest === undefined || newest === undefined || epochs.length < 2) return null;
  const lowest = Math.min(...epochs.map((epoch) => epoch.coherence_millionths));
  return (
    <figure className={classes.chart}>
      <svg
        viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
        preserveAspectRatio="none"
        role="img"
        aria-label={
          `Coherence, attunement and score from epoch ${formatCount(oldest.number)} to ${formatCount(newest.number)}. ` +
          `Coherence is ${formatMillionths(newest.coherence_millionths)} now and was ${formatMillionths(lowest)} at its ` +
          "lowest. The table below has the numbers."
        }
      >
        {GRID.map(([label, millionths]) => (
          <line
            key={label}
            className={classes.grid}
            x1={0}
            x2={WIDTH}
            y1={heightOf(millionths)}
            y2={heightOf(millionths)}
          />
        ))}
        {SERIES.map((series, at) =>
          runsOf(series, epochs).map((run) =>
            run.length === 1 && run[0] !== undefined ? (
              // A line of no length with a round end: a dot that keeps its form however wide the chart is.
              <path key={run[0].number} className={classes.dot} data-series={at} d={`M${run[0].x} ${run[0].y}h0`} />
            ) : (
              <path key={run[0]?.number} className={classes.line} data-series={at} d={pathOf(run)} />
            ),
          ),
        )}
      </svg>
      <div className={classes.scale} aria-hidden>
        {GRID.map(([label, millionths]) => (
          <span key={label} style={{ top: `${(heightOf(millionths) / HEIGHT) * 100}%` }}>
            {label}
          </span>
        ))}
      </div>
      <figcaption>
        <span className={classes.times}>
          <span>{formatDateTime(oldest.measured_at_ms)}</span>
          <span>{formatDateTime(newest.measured_at_ms)}</span>
        </span>
        <ul className={classes.legend}>
          {SERIES.map(({ name, symbol }, at) => (
            <li key={symbol}>
              <svg viewBox="0 0 24 8" aria-hidden>
                <path className={classes.line} data-series={at} d={`M1 ${INSET / 2}H23`} />
              </svg>
              {newest.validators.length === 1 ? name.replace("Lowest score", "Score") : name} {symbol}
            </li>
          ))}
        </ul>
      </figcaption>
    </figure>
  );
}
