/** How far each thread was read: the number of its messages that were in view. Pure. */

/** Message counts by thread, the one touched last at the end. */
export type Marks = Readonly<Record<string, number>>;

export const MOST_THREADS = 500;

/** With the thread read up to its `count`th message; what was read stays read. */
export function markRead(marks: Marks, threadId: string, count: number): Marks {
  const known = marks[threadId];
  if (known !== undefined && known >= count) return marks;
  const { [threadId]: _, ...others } = marks;
  const kept = Object.entries(others).slice(-(MOST_THREADS - 1));
  return { ...Object.fromEntries(kept), [threadId]: count };
}

/** A thread that is met for the first time begins as read: only what comes from now on is news. */
export function meet(marks: Marks, threads: readonly { thread_id: string; message_count: number }[]): Marks {
  return threads
    .filter(({ thread_id }) => marks[thread_id] === undefined)
    .reduce((all, { thread_id, message_count }) => markRead(all, thread_id, message_count), marks);
}

/** How many messages came since; 0 for a thread that was never met. */
export function unreadOf(marks: Marks, thread: { thread_id: string; message_count: number }): number {
  const read = marks[thread.thread_id];
  return read === undefined ? 0 : Math.max(0, thread.message_count - read);
}
