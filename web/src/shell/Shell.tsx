import { Outlet } from "@tanstack/react-router";
import { useEffect } from "react";
import { bellPanel } from "@/notices/Bell";
import { later, loadWhenIdle } from "@/ui/later";
import { tellError, toasts } from "@/ui/notify";
import { useIsPhone } from "@/ui/usePhone";
import { accountItems } from "./AccountMenu";
import { CommandPalette, paletteDialog } from "./CommandPalette";
import { ConnectionBar } from "./ConnectionBar";
import { help } from "./help";
import { News } from "./News";
import { PhoneBar } from "./PhoneBar";
import { PhoneHeader } from "./PhoneHeader";
import classes from "./Shell.module.css";
import { Sidebar } from "./Sidebar";
import { useShortcuts } from "./shortcuts";

const helpDialog = later(async () => (await import("./HelpDialog")).HelpDialog);

export function Shell() {
  const isPhone = useIsPhone();
  const HelpDialog = helpDialog.use(help.use(), failHelp);
  useShortcuts();
  useEffect(() => loadWhenIdle(paletteDialog, accountItems, toasts, bellPanel, helpDialog), []);
  return (
    <div className={classes.shell}>
      <a href="#main" className={classes.skip}>
        Skip to the content
      </a>
      <CommandPalette />
      <News />
      {HelpDialog !== undefined && <HelpDialog />}
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

function failHelp(error: unknown): void {
  help.set(false);
  tellError("The list of shortcuts did not load", error);
}
