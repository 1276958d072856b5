import { MantineProvider } from "@mantine/core";
import { type QueryCache, QueryClientProvider } from "@tanstack/react-query";
import { RouterProvider } from "@tanstack/react-router";
import { useEffect } from "react";
import { queryClient } from "./api/queries";
import { onSessionChange, renewSessionAfter, sessionState } from "./api/session";
import { router } from "./router";
import { theme } from "./theme";
import { ToastsLater } from "./ui/ToastsLater";

export function App() {
  useEffect(() => followSession(queryClient.getQueryCache()), []);
  return (
    <MantineProvider theme={theme} defaultColorScheme="auto">
      <QueryClientProvider client={queryClient}>
        <RouterProvider router={router} />
      </QueryClientProvider>
      <ToastsLater />
    </MantineProvider>
  );
}

/** What one account may read is not another's: with another reader everything goes, with more rights it is read again. */
function followSession(cache: QueryCache): () => void {
  let reader = addressNow();
  const stopSession = onSessionChange(() => {
    const now = addressNow();
    if (reader !== undefined && reader !== now) void queryClient.resetQueries();
    else if (sessionState().is === "signed-in") void queryClient.invalidateQueries();
    reader = now;
  });
  const stopCache = cache.subscribe((event) => {
    if (event.type === "updated" && event.action.type === "error") renewSessionAfter(event.action.error);
  });
  return () => {
    stopSession();
    stopCache();
  };
}

function addressNow(): string | undefined {
  const state = sessionState();
  return state.is === "signed-out" ? undefined : state.address;
}
