/** Begin to live: connect, and keep what is cached up to date. */
import { queryClient } from "@/api/queries";
import { sessionState } from "@/api/session";
import { startNotices } from "@/notices/store";
import { live } from "./connection";
import { Replayer } from "./replay";

export function startLive(): void {
  const replayer = new Replayer(queryClient, readerNow);
  replayer.start();
  live.onUpdate((update) => replayer.apply(update));
  live.onStatus(() => {
    // What could not be read while the node was gone is read now.
    if (live.isLive)
      void queryClient.refetchQueries({ type: "active", predicate: ({ state }) => state.status === "error" });
  });
  startNotices((listener) => live.onUpdate(listener));
  live.start();
}

function readerNow(): string | null {
  const state = sessionState();
  return state.is === "signed-in" ? state.address : null;
}
