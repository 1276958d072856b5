/** Parts of the app that the first view does without: their code comes when they are wanted, or when it has time to. */
import { type ComponentType, useEffect, useState } from "react";

const IDLE_MS = 3000;

export interface Later<P> {
  /** The component, once it is there. Asks for it while it is wanted; `onFail`, if anybody minds, is told when it does
   * not come. */
  use: (isWanted: boolean, onFail?: (error: unknown) => void) => ComponentType<P> | undefined;
  /** Have it come already. */
  load: () => Promise<void>;
}

export function later<P = object>(load: () => Promise<ComponentType<P>>): Later<P> {
  let there: ComponentType<P> | undefined;
  const come = async (): Promise<void> => {
    there ??= await load();
  };
  return {
    load: come,
    use: (isWanted, onFail) => {
      const [, setThere] = useState(there !== undefined);
      useEffect(() => {
        if (!isWanted || there !== undefined) return;
        let isGone = false;
        come().then(
          () => isGone || setThere(true),
          (error: unknown) => isGone || onFail?.(error),
        );
        return () => {
          isGone = true;
        };
      }, [isWanted, onFail]);
      return isWanted ? there : undefined;
    },
  };
}

/** Run something once the browser has nothing better to do. */
export function whenIdle(run: () => void): void {
  if ("requestIdleCallback" in window) window.requestIdleCallback(run, { timeout: IDLE_MS });
  else setTimeout(run, IDLE_MS);
}

/** What the first view does without, in this order, when there is time: then it is there at once, and without the node. */
export function loadWhenIdle(...parts: readonly Pick<Later<never>, "load">[]): void {
  const [part, ...others] = parts;
  if (part === undefined) return;
  whenIdle(() => {
    // Whoever wants it asks again, and says if it does not come.
    void part
      .load()
      .catch(() => undefined)
      .then(() => loadWhenIdle(...others));
  });
}
