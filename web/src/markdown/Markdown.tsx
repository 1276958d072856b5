import { lazy, Suspense } from "react";
import classes from "./Markdown.module.css";
import type { MarkdownProps } from "./MarkdownContent";

// Asked for with the view that shows texts, beside their data, and not only once they have come.
const renderer = import("./MarkdownContent");
const MarkdownContent = lazy(() => renderer);

/** A message's text. The plain text stands there until the renderer has come. */
export function Markdown(props: MarkdownProps) {
  return (
    <div className={classes.text} dir="auto">
      <Suspense fallback={<PlainText text={props.text} />}>
        <MarkdownContent {...props} />
      </Suspense>
    </div>
  );
}

function PlainText({ text }: { text: string }) {
  return (
    <p className={classes.plain} aria-busy>
      {text}
    </p>
  );
}
