import { useInfiniteQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useEffect, useMemo } from "react";
import { threadsQuery } from "@/api/queries";
import { useAccount } from "@/keys/account";
import { useFollowAccount, useFollowNews } from "@/live/follow";
import { startOutside } from "@/notices/outside";
import { markNoticeRead, onNotice, useNotices } from "@/notices/store";
import { wordsOf } from "@/notices/words";
import { tell } from "@/ui/notify";
import { setTitleCount } from "@/ui/useTitle";
import { useMeeting, useUnreadThreads } from "@/unread/store";

/** Follows one's account and one's threads wherever one is in the app, and tells what is new. Shows nothing itself. */
export function News() {
  const address = useAccount()?.address;
  const { data } = useInfiniteQuery({ ...threadsQuery(address), enabled: address !== undefined });
  const threads = useMemo(
    () => (address === undefined ? [] : (data?.pages.flatMap((page) => page.items) ?? [])),
    [address, data],
  );
  const threadIds = useMemo(() => threads.map(({ thread_id }) => thread_id), [threads]);
  useFollowAccount();
  useFollowNews(threadIds);
  useMeeting(threads);
  const unreadThreads = useUnreadThreads(threads);
  const unreadNotices = useNotices().filter(({ isRead }) => !isRead).length;
  useEffect(() => setTitleCount(unreadThreads + unreadNotices), [unreadThreads, unreadNotices]);
  useTelling();
  return null;
}

/** In passing within the page, or by the browser while nobody looks. */
function useTelling(): void {
  const navigate = useNavigate();
  useEffect(() => {
    const stopInside = onNotice((notice) => {
      if (document.visibilityState === "visible") tell(`${wordsOf(notice)}.`);
    });
    const stopOutside = startOutside((notice) => {
      markNoticeRead(notice.id);
      if (notice.specId !== undefined) void navigate({ to: "/spec/$specId", params: { specId: notice.specId } });
    });
    return () => {
      stopInside();
      stopOutside();
    };
  }, [navigate]);
}
