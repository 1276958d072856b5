import type { Virtualizer } from "@tanstack/react-virtual";
import { type RefObject, useCallback, useEffect, useRef, useState } from "react";

interface Flow {
  virtualizer: Virtualizer<HTMLDivElement, Element>;
  scroller: RefObject<HTMLDivElement | null>;
  /** How many messages are loaded. */
  count: number;
  /** The message to show, and where it is among those that are loaded; −1 where it is not. */
  focused: string | undefined;
  focusedIndex: number;
  /** The thread's last message is loaded, and its first. */
  hasEnd: boolean;
  hasBeginning: boolean;
  /** Loads an end of the thread; says whether it did. */
  goTo: (place: "end" | "beginning") => Promise<boolean>;
  /** What one has just sent. */
  newest: string | undefined;
}

interface Target {
  isSeeking: boolean;
  goToEnd: () => void;
  goToBeginning: () => void;
}

const SETTLE_MS = 80;
const ATTEMPTS = 8;

/** Takes the flow to the message that is to be shown, or to one of its ends; says while that must be loaded. */
export function useFlowTarget(flow: Flow): Target {
  const { virtualizer, scroller, count, focused, focusedIndex, hasEnd, hasBeginning, goTo, newest } = flow;
  const [seeksEnd, setSeeksEnd] = useState(false);
  const shown = useRef<string>(undefined);

  useEffect(() => {
    if (focused === undefined) shown.current = undefined;
    // Once: where it stands among those that are loaded changes as more of them are.
    if (focused === undefined || focusedIndex < 0 || shown.current === focused) return;
    shown.current = focused;
    virtualizer.scrollToIndex(focusedIndex, { align: "start" });
  }, [focused, focusedIndex, virtualizer]);

  useEffect(() => {
    if (newest !== undefined) setSeeksEnd(true);
  }, [newest]);

  useEffect(() => {
    if (!seeksEnd || hasEnd) return;
    void goTo("end").then((isThere) => isThere || setSeeksEnd(false));
  }, [seeksEnd, hasEnd, goTo]);

  useEffect(() => {
    if (!seeksEnd || !hasEnd) return;
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
  }, [seeksEnd, hasEnd, count, virtualizer, scroller]);

  const goToEnd = useCallback(() => setSeeksEnd(true), []);
  const goToBeginning = useCallback(() => {
    setSeeksEnd(false);
    void (hasBeginning ? Promise.resolve(true) : goTo("beginning")).then(
      (isThere) => isThere && virtualizer.scrollToIndex(0, { align: "start" }),
    );
  }, [hasBeginning, goTo, virtualizer]);
  return { isSeeking: seeksEnd && !hasEnd, goToEnd, goToBeginning };
}
