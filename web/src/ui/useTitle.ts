/** The window's title: the view's name, and before it how much news waits. */
import { useEffect } from "react";
import { withoutMarks } from "@/lib/excerpt";

const APP = "Choir";
let name = "";
let count = 0;

/** The title while the component is shown. Undefined: not known yet. */
export function useTitle(title: string | undefined | null): void {
  useEffect(() => {
    name = withoutMarks(title ?? "");
    write();
    return () => {
      name = "";
      write();
    };
  }, [title]);
}

/** How much is unread, for the title of every view. */
export function setTitleCount(news: number): void {
  count = news;
  write();
}

export function composeTitle(view: string, news: number): string {
  const title = view === "" ? APP : `${view} – ${APP}`;
  return news === 0 ? title : `(${news > 99 ? "99+" : news}) ${title}`;
}

function write(): void {
  document.title = composeTitle(name, count);
}
