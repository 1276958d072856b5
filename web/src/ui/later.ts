/** Parts of the app that the first view does without: their code comes when they are wanted, or when it has time to. */
import { type ComponentType, useEffect, useState } from "react";
import { tellError } from "./notify";

const IDLE_MS = 3000;

export interface Later {
  /** The component, once it is there. Asks for it while it is wanted; says so and calls `onFail` when it does not come. */
  use: (isWanted: boolean, onFail: () => void) => ComponentType | undefined;
  /** Have it come already. */
  load: () => Promise<void>;
}

export function later(load: () => Promise<ComponentType>): Later {
  let there: ComponentType | undefined;
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
          (error: unknown) => {
            if (isGone) return;
            tellError("This part of the app did not load", error);
            onFail();
          },
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
