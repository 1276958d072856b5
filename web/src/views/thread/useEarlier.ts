import type { Virtualizer } from "@tanstack/react-virtual";
import { type RefObject, useEffect, useLayoutEffect, useRef } from "react";
import type { MessageView } from "@/api/queries";

interface Flow {
  virtualizer: Virtualizer<HTMLDivElement, Element>;
  scroller: RefObject<HTMLDivElement | null>;
  messages: readonly MessageView[];
  isLoadingEarlier: boolean;
  /** Undefined where the thread begins. */
  loadEarlier: (() => void) | undefined;
}

/** So many messages before the first that is loaded, what comes before it is asked for. */
const NEAR = 20;

/** Loads what comes before as one scrolls up, and keeps in place what one looks at when it has come. */
export function useEarlier({ virtualizer, scroller, messages, isLoadingEarlier, loadEarlier }: Flow): void {
  const first = messages[0]?.content_hash;
  const known = useRef(first);
  const looksBack = useRef(false);
  // Not by itself where the flow has just been put: it is not yet where it is to be.
  if (virtualizer.scrollDirection === "backward") looksBack.current = true;

  useLayoutEffect(() => {
    const was = known.current;
    known.current = first;
    if (was === undefined || was === first) return;
    const added = messages.findIndex((message) => message.content_hash === was);
    const heightPx = added > 0 ? virtualizer.measurementsCache[added]?.start : undefined;
    if (heightPx === undefined || scroller.current === null) {
      looksBack.current = false; // put elsewhere
      return;
    }
    scroller.current.scrollTop += heightPx;
    // A message that is measured before the browser tells of this would otherwise be scrolled from the old place.
    virtualizer.scrollOffset = scroller.current.scrollTop;
  }, [first, messages, virtualizer, scroller]);

  const isNear = (virtualizer.getVirtualItems()[0]?.index ?? 0) < NEAR;
  useEffect(() => {
    if (isNear && looksBack.current && !isLoadingEarlier) loadEarlier?.();
  });
}
