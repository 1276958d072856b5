/** From message to message by keyboard. */

/** Put the focus on the message `by` places further in the thread that is shown. */
export function moveInFeed(by: 1 | -1): void {
  const articles = [...document.querySelectorAll<HTMLElement>("[role=feed] article[aria-posinset]")].sort(
    (a, b) => position(a) - position(b),
  );
  const focused = document.activeElement?.closest<HTMLElement>("article[aria-posinset]");
  const next =
    focused == null
      ? articles.find((article) => article.getBoundingClientRect().bottom > 120)
      : articles.find((article) => position(article) === position(focused) + by);
  if (next === undefined) return;
  next.tabIndex = -1;
  next.focus({ preventScroll: true });
  next.scrollIntoView({ block: "start" });
}

function position(article: HTMLElement): number {
  return Number(article.getAttribute("aria-posinset"));
}
