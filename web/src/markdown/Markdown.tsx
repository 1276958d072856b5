import { lazy, Suspense } from "react";
import classes from "./Markdown.module.css";
import type { MarkdownProps } from "./MarkdownContent";

const MarkdownContent = lazy(() => import("./MarkdownContent"));

/** A message's text. The plain text stands there until the renderer has come. */
export function Markdown(props: MarkdownProps) {
  return (
    <div className={classes.text} dir="auto">
      <Suspense fallback={<p className={classes.plain}>{props.text}</p>}>
        <MarkdownContent {...props} />
      </Suspense>
    </div>
  );
}
