import "@fontsource-variable/inter/index.css";
import "@fontsource-variable/source-serif-4/index.css";
import "@mantine/core/styles.layer.css";
import "@mantine/notifications/styles.layer.css";
import "@mantine/spotlight/styles.layer.css";
import "./styles/base.css";

import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { App } from "./App";
import { startSessions } from "./api/session";
import { loadAccounts } from "./keys/account";
import { startLive } from "./live/start";

const root = document.getElementById("root");
if (root === null) throw new Error("the page has no #root");

// A browser that keeps nothing (a private window may refuse) can still read.
void loadAccounts()
  .catch((error: unknown) => console.warn("no key can be kept here:", error))
  .then(startSessions)
  .then(startLive);

createRoot(root).render(
  <StrictMode>
    <App />
  </StrictMode>,
);
