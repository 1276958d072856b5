/** Notices outside of the page: the browser shows them while nobody looks at it. Off until somebody turns them on. */
import { useSyncExternalStore } from "react";
import { keep, readKept } from "@/lib/kept";
import type { Notice } from "./notice";
import { onNotice } from "./store";
import { wordsOf } from "./words";

export type Outside = "on" | "off" | "blocked" | "unknown-here";

const KEY = "choir.notices.outside";
const listeners = new Set<() => void>();
let isWanted = readKept(KEY, false);

export function useOutside(): Outside {
  return useSyncExternalStore(subscribe, outsideNow);
}

/** Turn them on or off. Asks the browser's permission, so only ever called by a click. */
export async function setOutside(isOn: boolean): Promise<void> {
  isWanted = isOn;
  keep(KEY, isWanted);
  if (isOn && "Notification" in window && Notification.permission === "default") await Notification.requestPermission();
  for (const listener of listeners) listener();
}

/** Show what comes from now on; `open` is called when one is clicked. */
export function startOutside(open: (notice: Notice) => void): () => void {
  return onNotice((notice) => {
    if (outsideNow() !== "on" || document.visibilityState === "visible") return;
    // The tag keeps two tabs from telling it twice.
    const shown = new Notification("Choir", { body: wordsOf(notice), tag: notice.id, icon: "/favicon.svg" });
    shown.onclick = () => {
      window.focus();
      shown.close();
      open(notice);
    };
  });
}

function outsideNow(): Outside {
  if (!("Notification" in window)) return "unknown-here";
  if (Notification.permission === "denied") return "blocked";
  return isWanted && Notification.permission === "granted" ? "on" : "off";
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}
