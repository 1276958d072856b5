import "@fontsource-variable/inter/index.css";
import "@fontsource-variable/source-serif-4/index.css";
import "./styles/mantine.css";
import "./styles/base.css";

import { StrictMode } from "react";
import { App } from "./App";
import { queryClient, threadsQuery } from "./api/queries";
import { sessionState, startSessions } from "./api/session";
import { isKept, restore, startKeeping } from "./kept/kept";
import { hasAccount, loadAccounts } from "./keys/account";
import { startLive } from "./live/start";
import { createRoot } from "./root";
import { whenIdle } from "./ui/later";

const root = document.getElementById("root");
if (root === null) throw new Error("the page has no #root");

const RESTORE_MS = 500;

/** First who reads and what they have read, where this browser holds any; then the page, and then the node. */
async function start(page: HTMLElement): Promise<void> {
  // A browser that keeps nothing (a private window may refuse) can still read.
  const loaded = loadAccounts().catch((error: unknown) => console.warn("no key can be kept here:", error));
  if (hasAccount() || isKept()) await loaded;
  if (isKept()) {
    await Promise.race([
      restore(queryClient).catch((error: unknown) => console.warn("nothing is kept here:", error)),
      new Promise((resolve) => setTimeout(resolve, RESTORE_MS)),
    ]);
  }
  startKeeping(queryClient);
  createRoot(page).render(
    <StrictMode>
      <App />
    </StrictMode>,
  );
  startSessions();
  // Every view shows them, in the list beside it: asked for while the view's own script is on its way.
  if (sessionState().is !== "signing-in") void queryClient.prefetchInfiniteQuery(threadsQuery());
  await loaded;
  startLive();
  if (import.meta.env.PROD && "serviceWorker" in navigator) whenIdle(keepApp);
}

/** What reading offline needs is fetched once the page itself is there. */
function keepApp(): void {
  navigator.serviceWorker.register("/sw.js").catch((error: unknown) => console.warn("no reading offline:", error));
}

void start(root);
