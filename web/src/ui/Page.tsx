import { type ReactNode, useEffect } from "react";
import classes from "./Page.module.css";

/** A view with a title, in the middle of the window. The title is the window's too. */
export function Page({ title, actions, children }: { title: string; actions?: ReactNode; children: ReactNode }) {
  useEffect(() => {
    document.title = `${title} – Choir`;
    return () => {
      document.title = "Choir";
    };
  }, [title]);
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
