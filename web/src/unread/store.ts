/** The marks of the account in use, kept in this browser. */
import { useEffect, useSyncExternalStore } from "react";
import { accountState, onAccountChange } from "@/keys/account";
import { keep, readKept } from "@/lib/kept";
import { type Marks, markRead, meet, unreadOf } from "./marks";

interface Counted {
  thread_id: string;
  message_count: number;
}

let key = keyNow();
let marks: Marks = readKept(key, {});
const listeners = new Set<() => void>();

onAccountChange(() => {
  if (key !== keyNow()) reload();
});
// Another tab has read on.
window.addEventListener("storage", (event) => {
  if (event.key === key) reload();
});

/** How many messages of the thread are new to the reader. */
export function useUnread(thread: Counted): number {
  return unreadOf(useMarks(), thread);
}

/** How many of the threads have news. */
export function useUnreadThreads(threads: readonly Counted[]): number {
  const all = useMarks();
  return threads.filter((thread) => unreadOf(all, thread) > 0).length;
}

/** Take note of threads: what they have now is no news. */
export function useMeeting(threads: readonly Counted[]): void {
  useEffect(() => set(meet(marks, threads)), [threads]);
}

/** The first `count` messages of the thread are in view, or were: they are read, if somebody looks. */
export function useReadMark(threadId: string | undefined, count: number): void {
  useEffect(() => {
    if (threadId === undefined || count === 0) return;
    const note = (): void => {
      if (document.visibilityState === "visible") set(markRead(marks, threadId, count));
    };
    note();
    document.addEventListener("visibilitychange", note);
    return () => document.removeEventListener("visibilitychange", note);
  }, [threadId, count]);
}

function useMarks(): Marks {
  return useSyncExternalStore(subscribe, () => marks);
}

function set(next: Marks): void {
  if (next === marks) return;
  marks = next;
  keep(key, marks);
  notify();
}

function reload(): void {
  key = keyNow();
  marks = readKept(key, {});
  notify();
}

function keyNow(): string {
  return `choir.read.${accountState().active?.address ?? "anyone"}`;
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

function notify(): void {
  for (const listener of listeners) listener();
}
