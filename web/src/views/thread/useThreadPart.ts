import { useInfiniteQuery } from "@tanstack/react-query";
import { useCallback, useEffect, useRef, useState } from "react";
import { isRefusal } from "@/api/errors";
import { threadQuery } from "@/api/queries";
import { loadEarlier, moveTo, positionOf } from "@/api/threadParts";
import { tellError } from "@/ui/notify";

/** The part of a thread that is loaded, with the message to be shown in it, and the ways to load more. */
export function useThreadPart(threadId: string, message: string | undefined) {
  const query = useInfiniteQuery(threadQuery(threadId, message));
  const pages = query.data?.pages ?? [];
  const messages = pages.flatMap((page) => page.messages.items);
  const isThere = messages.some(({ content_hash }) => content_hash === message);
  useMissing(threadId, message, pages.length > 0 && !isThere);

  const [isLoadingEarlier, setLoadingEarlier] = useState(false);
  const earlier = useCallback((): void => {
    setLoadingEarlier(true);
    loadEarlier(threadId)
      .catch((error: unknown) => tellError("Earlier messages could not be loaded", error))
      .finally(() => setLoadingEarlier(false));
  }, [threadId]);
  const goTo = useCallback(
    async (place: "end" | "beginning"): Promise<boolean> => {
      try {
        await moveTo(threadId, place);
        return true;
      } catch (error) {
        tellError("The messages could not be loaded", error);
        return false;
      }
    },
    [threadId],
  );
  return {
    query,
    pages,
    messages,
    before: positionOf(pages),
    isLoadingEarlier,
    loadEarlier: pages[0]?.messages.previous_cursor == null ? undefined : earlier,
    goTo,
  };
}

/** A message that is not in the loaded part is looked for once. One that is not in the thread is passed over. */
function useMissing(threadId: string, message: string | undefined, isMissing: boolean): void {
  const sought = useRef<string>(undefined);
  useEffect(() => {
    if (message === undefined || !isMissing || sought.current === message) return;
    sought.current = message;
    moveTo(threadId, { around: message }).catch((error: unknown) => {
      if (!isRefusal(error, "NotFound")) tellError("The message could not be loaded", error);
    });
  }, [threadId, message, isMissing]);
}
