import { Outlet } from "@tanstack/react-router";
import { lazy, Suspense } from "react";
import { useIsPhone } from "@/ui/usePhone";
import { CommandPalette } from "./CommandPalette";
import { ConnectionBar } from "./ConnectionBar";
import { help } from "./help";
import { News } from "./News";
import { PhoneBar } from "./PhoneBar";
import { PhoneHeader } from "./PhoneHeader";
import classes from "./Shell.module.css";
import { Sidebar } from "./Sidebar";
import { useShortcuts } from "./shortcuts";

const HelpDialog = lazy(() => import("./HelpDialog").then((module) => ({ default: module.HelpDialog })));

export function Shell() {
  const isPhone = useIsPhone();
  const isHelpOpen = help.use();
  useShortcuts();
  return (
    <div className={classes.shell}>
      <a href="#main" className={classes.skip}>
        Skip to the content
      </a>
      <CommandPalette />
      <News />
      {isHelpOpen && (
        <Suspense>
          <HelpDialog />
        </Suspense>
      )}
      {!isPhone && <Sidebar />}
      <div className={classes.column}>
        {isPhone && <PhoneHeader />}
        <ConnectionBar />
        <main id="main" className={classes.main} tabIndex={-1}>
          <Outlet />
        </main>
        {isPhone && <PhoneBar />}
      </div>
    </div>
  );
}
