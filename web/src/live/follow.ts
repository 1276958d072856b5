/** Live news in the components: who shows something follows it. */
import { useEffect } from "react";
import { useSession } from "@/api/session";
import { live } from "./connection";

/** Keep what is cached of a thread as it is on the node, while the component is shown. */
export function useFollowThread(threadId: string): void {
  useEffect(() => live.follow(threadId, true), [threadId]);
}

/** The same for threads of which only what is new is wanted: counts, new messages. At most `MOST` of them. */
export function useFollowNews(threadIds: readonly string[]): void {
  const joined = threadIds.slice(0, MOST).join(" ");
  useEffect(() => {
    const stops = joined
      .split(" ")
      .filter(Boolean)
      .map((threadId) => live.follow(threadId, false));
    return () => {
      for (const stop of stops) stop();
    };
  }, [joined]);
}

const MOST = 100;

/** The signed-in account's own news. */
export function useFollowAccount(): void {
  const session = useSession();
  const address = session.is === "signed-in" ? session.address : undefined;
  useEffect(() => (address === undefined ? undefined : live.follow(null, true)), [address]);
}
