import type { Virtualizer } from "@tanstack/react-virtual";
import { type RefObject, useCallback, useEffect, useState } from "react";

interface Flow {
  virtualizer: Virtualizer<HTMLDivElement, Element>;
  scroller: RefObject<HTMLDivElement | null>;
  /** How many messages are loaded. */
  count: number;
  /** Where the message to show is, −1 where it is not loaded. */
  focusedIndex: number;
  /** A message is to be shown that is not loaded. */
  isSought: boolean;
  /** All messages are loaded. */
  isComplete: boolean;
  /** What one has just sent. */
  newest: string | undefined;
}

const SETTLE_MS = 80;
const ATTEMPTS = 8;

/** Takes the flow to the message that is to be shown, or to its end; says while pages must be loaded for it. */
export function useFlowTarget(flow: Flow): { isSeeking: boolean; goToEnd: () => void } {
  const { virtualizer, scroller, count, focusedIndex, isSought, isComplete, newest } = flow;
  const [seeksEnd, setSeeksEnd] = useState(false);

  useEffect(() => {
    if (focusedIndex >= 0) virtualizer.scrollToIndex(focusedIndex, { align: "start" });
  }, [focusedIndex, virtualizer]);

  useEffect(() => {
    if (newest !== undefined) setSeeksEnd(true);
  }, [newest]);

  useEffect(() => {
    if (!seeksEnd || !isComplete) return;
    if (count > 0) virtualizer.scrollToIndex(count - 1, { align: "end" });
    // Heights are estimates until a message is shown: the end moves while the last ones are measured.
    let attempt = 0;
    const timer = setInterval(() => {
      const element = scroller.current;
      if (element !== null) element.scrollTop = element.scrollHeight;
      attempt += 1;
      if (attempt < ATTEMPTS) return;
      clearInterval(timer);
      setSeeksEnd(false);
    }, SETTLE_MS);
    return () => clearInterval(timer);
  }, [seeksEnd, isComplete, count, virtualizer, scroller]);

  const goToEnd = useCallback(() => setSeeksEnd(true), []);
  return { isSeeking: isSought || (seeksEnd && !isComplete), goToEnd };
}
