/** Begin to live: connect, and keep what is cached up to date. */
import { queryClient } from "@/api/queries";
import { sessionState } from "@/api/session";
import { live } from "./connection";
import { Replayer } from "./replay";

export function startLive(): void {
  const replayer = new Replayer(queryClient, readerNow);
  replayer.start();
  live.onUpdate((update) => replayer.apply(update));
  live.start();
}

function readerNow(): string | null {
  const state = sessionState();
  return state.is === "signed-in" ? state.address : null;
}
