/** Something that is open or closed, from wherever in the app. */
import { useSyncExternalStore } from "react";

export interface Toggle {
  set: (isOpen: boolean) => void;
  use: () => boolean;
}

export function makeToggle(): Toggle {
  let isOpenNow = false;
  const listeners = new Set<() => void>();
  const subscribe = (listener: () => void): (() => void) => {
    listeners.add(listener);
    return () => listeners.delete(listener);
  };
  return {
    set: (isOpen) => {
      isOpenNow = isOpen;
      for (const listener of listeners) listener();
    },
    use: () => useSyncExternalStore(subscribe, () => isOpenNow),
  };
}
