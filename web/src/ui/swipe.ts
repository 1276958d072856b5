/** A finger's way across, as the next or the one before. */
import { type TouchEvent, useRef } from "react";

const LEAST_PX = 48;
/** How much longer the way must be across than along. */
const SLANT = 1.6;

interface Swipe {
  onTouchStart: (event: TouchEvent) => void;
  onTouchEnd: (event: TouchEvent) => void;
}

/** +1 for the next, -1 for the one before, 0 for no swipe. In right-to-left pages the ways are exchanged. */
export function swipeOf(acrossPx: number, alongPx: number, isRightToLeft: boolean): -1 | 0 | 1 {
  if (Math.abs(acrossPx) < LEAST_PX || Math.abs(acrossPx) < SLANT * Math.abs(alongPx)) return 0;
  return acrossPx < 0 !== isRightToLeft ? 1 : -1;
}

/** Handlers for the element that is swiped over. What scrolls across by itself (code, tables) is left alone. */
export function useSwipe(onSwipe: (by: -1 | 1) => void): Swipe {
  const start = useRef<{ x: number; y: number }>(undefined);
  return {
    onTouchStart: ({ touches, target }) => {
      const touch = touches[0];
      const isAlone = touch !== undefined && touches.length === 1 && !scrollsAcross(target as Element);
      start.current = isAlone ? { x: touch.clientX, y: touch.clientY } : undefined;
    },
    onTouchEnd: ({ changedTouches, currentTarget }) => {
      const touch = changedTouches[0];
      const from = start.current;
      start.current = undefined;
      if (from === undefined || touch === undefined) return;
      const isRightToLeft = getComputedStyle(currentTarget).direction === "rtl";
      const by = swipeOf(touch.clientX - from.x, touch.clientY - from.y, isRightToLeft);
      if (by !== 0) onSwipe(by);
    },
  };
}

function scrollsAcross(element: Element): boolean {
  const found = element.closest("pre, section.table");
  return found !== null && found.scrollWidth > found.clientWidth;
}
