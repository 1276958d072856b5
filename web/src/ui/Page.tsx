import type { ReactNode } from "react";
import classes from "./Page.module.css";
import { useTitle } from "./useTitle";

/** A view with a title, in the middle of the window. The title is the window's too. */
export function Page({ title, actions, children }: { title: string; actions?: ReactNode; children: ReactNode }) {
  useTitle(title);
  return (
    <div className={classes.page}>
      <header className={classes.head}>
        <h1 className={classes.title}>{title}</h1>
        {actions}
      </header>
      {children}
    </div>
  );
}
