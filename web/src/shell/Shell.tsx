import { Outlet } from "@tanstack/react-router";
import { CommandPalette } from "./CommandPalette";
import { ConnectionBar } from "./ConnectionBar";
import { PhoneBar } from "./PhoneBar";
import classes from "./Shell.module.css";
import { Sidebar } from "./Sidebar";

export function Shell() {
  return (
    <div className={classes.shell}>
      <a href="#main" className={classes.skip}>
        Skip to the content
      </a>
      <CommandPalette />
      <Sidebar />
      <div className={classes.column}>
        <ConnectionBar />
        <main id="main" className={classes.main} tabIndex={-1}>
          <Outlet />
        </main>
        <PhoneBar />
      </div>
    </div>
  );
}
