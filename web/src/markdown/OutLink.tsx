import type { ReactNode } from "react";
import { disguisedHost } from "./disguise";
import classes from "./Markdown.module.css";

/** A link out of the app. It tells the other side nothing, and where its words name another place, it says which. */
export function OutLink({ href, children }: { href: string; children: ReactNode }) {
  const host = disguisedHost(href, wordsOf(children));
  return (
    <a href={href} title={href} target="_blank" rel="noopener noreferrer nofollow">
      {children}
      {host !== undefined && (
        <span className={classes.host}>
          {" "}
          (<bdi>{host}</bdi>)
        </span>
      )}
    </a>
  );
}

function wordsOf(node: ReactNode): string {
  if (typeof node === "string" || typeof node === "number") return String(node);
  if (Array.isArray(node)) return node.map(wordsOf).join("");
  if (typeof node === "object" && node !== null && "props" in node) {
    return wordsOf((node.props as { children?: ReactNode }).children);
  }
  return "";
}
