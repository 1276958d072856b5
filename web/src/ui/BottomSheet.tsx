import { ChevronsUp } from "lucide-react";
import { type KeyboardEvent, type PointerEvent, type ReactNode, useRef, useState } from "react";
import classes from "./BottomSheet.module.css";
import { nearestSnap, SNAPS, type Snap, steppedSnap } from "./snaps";

interface Props {
  label: string;
  /** One line in the sheet's head, to be read while it is closed. */
  summary: string;
  children: ReactNode;
}

interface Drag {
  fromY: number;
  fromVh: number;
  lastY: number;
  lastAt: number;
  speed: number;
}

const SPOKEN: Record<Snap, string> = { 0: "closed", 50: "half open", 85: "open" };
const STEP_OF_KEY: Record<string, number> = { ArrowUp: 1, ArrowDown: -1, PageUp: 1, PageDown: -1, Home: -2, End: 2 };

/** A sheet at the bottom of a phone that stops at 0, 50 and 85 % of the window's height. Its head always shows. */
export function BottomSheet({ label, summary, children }: Props) {
  const [snap, setSnap] = useState<Snap>(0);
  const [dragVh, setDragVh] = useState<number>();
  const drag = useRef<Drag>(undefined);
  const shownVh = dragVh ?? snap;

  const begin = (event: PointerEvent<HTMLDivElement>): void => {
    event.currentTarget.setPointerCapture(event.pointerId);
    drag.current = { fromY: event.clientY, fromVh: snap, lastY: event.clientY, lastAt: event.timeStamp, speed: 0 };
  };
  const move = (event: PointerEvent): void => {
    const now = drag.current;
    if (now === undefined) return;
    const sinceMs = Math.max(1, event.timeStamp - now.lastAt);
    now.speed = toVh(now.lastY - event.clientY) / sinceMs;
    now.lastY = event.clientY;
    now.lastAt = event.timeStamp;
    setDragVh(Math.min(85, Math.max(0, now.fromVh + toVh(now.fromY - event.clientY))));
  };
  const finish = (): void => {
    const now = drag.current;
    drag.current = undefined;
    setDragVh(undefined);
    if (now === undefined) return;
    const movedVh = toVh(now.fromY - now.lastY);
    // A touch without a way opens or closes.
    if (Math.abs(movedVh) < 1) setSnap(snap === 0 ? 50 : 0);
    else setSnap(nearestSnap(now.fromVh + movedVh, now.speed));
  };
  const press = (event: KeyboardEvent): void => {
    const by = STEP_OF_KEY[event.key];
    if (by !== undefined) setSnap(steppedSnap(snap, by));
    else if (event.key === "Enter" || event.key === " ") setSnap(snap === 0 ? 50 : 0);
    else return;
    event.preventDefault();
  };

  return (
    <section
      className={classes.sheet}
      aria-label={label}
      data-open={shownVh > 0 || undefined}
      data-dragged={dragVh !== undefined || undefined}
      style={{ "--shown": `${shownVh}dvh` } as never}
      onKeyDown={(event) => {
        if (event.key === "Escape" && snap !== 0) setSnap(0);
      }}
    >
      <div
        className={classes.head}
        role="slider"
        tabIndex={0}
        aria-label={`${label}: ${summary}`}
        aria-orientation="vertical"
        aria-valuemin={SNAPS[0]}
        aria-valuemax={SNAPS.at(-1)}
        aria-valuenow={snap}
        aria-valuetext={SPOKEN[snap]}
        onPointerDown={begin}
        onPointerMove={move}
        onPointerUp={finish}
        onPointerCancel={finish}
        onKeyDown={press}
      >
        <span className={classes.grip} aria-hidden />
        <span className={classes.summary}>
          {summary} <ChevronsUp size={16} aria-hidden className={classes.chevron} />
        </span>
      </div>
      <div className={classes.content} inert={shownVh === 0}>
        {children}
      </div>
    </section>
  );
}

function toVh(px: number): number {
  return (px / window.innerHeight) * 100;
}
