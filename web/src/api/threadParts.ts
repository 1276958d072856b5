/** The part of a thread that is loaded: it grows upwards, or is put elsewhere. Downwards it grows as any list does. */
import { getThread, queryClient, type ThreadPage, threadQuery } from "./queries";

type Place = { around: string } | "end" | "beginning";

/** Have the page around a message, at the end or at the beginning be what is loaded. Throws what `getThread` does. */
export async function moveTo(threadId: string, place: Place): Promise<void> {
  const { queryKey } = threadQuery(threadId);
  const page = await getThread(threadId, place === "end" ? { before: "end" } : place === "beginning" ? {} : place);
  // What is on its way would be put behind a page that is no longer there.
  await queryClient.cancelQueries({ queryKey, exact: true });
  queryClient.setQueryData(queryKey, { pages: [page], pageParams: [startOf(page)] });
}

/** Load the page before the first one. Throws what `getThread` does. */
export async function loadEarlier(threadId: string): Promise<void> {
  const { queryKey } = threadQuery(threadId);
  const before = queryClient.getQueryData(queryKey)?.pages[0]?.messages.previous_cursor;
  if (before == null) return;
  const page = await getThread(threadId, { before });
  queryClient.setQueryData(queryKey, (now) =>
    now?.pages[0]?.messages.previous_cursor === before
      ? { pages: [page, ...now.pages], pageParams: [startOf(page), ...now.pageParams] }
      : now,
  );
}

/** How many messages of the thread stand before what is loaded. */
export function positionOf(pages: readonly ThreadPage[]): number {
  return pages[0]?.messages.position ?? 0;
}

/** As a page parameter: what the page comes after, empty where it begins with the thread. */
function startOf(page: ThreadPage): string {
  return page.messages.previous_cursor ?? "";
}
