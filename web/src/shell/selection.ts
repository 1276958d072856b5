/** Which of a list's options is selected: pure, by what the options are called. */

/** What was selected and where it stood; undefined: nothing was chosen, which selects the first. */
export type Selection = { readonly id: string; readonly index: number } | undefined;

/** Where the selected option stands now; -1 in an empty list. What is gone leaves its place to what has taken it. */
export function indexOf(selection: Selection, ids: readonly string[]): number {
  if (selection === undefined) return ids.length === 0 ? -1 : 0;
  const found = ids.indexOf(selection.id);
  return found >= 0 ? found : Math.min(selection.index, ids.length - 1);
}

/** What `key` selects, around the ends of the list; undefined where it is no key that selects. */
export function moved(selection: Selection, ids: readonly string[], key: string): Selection {
  const index = indexAfter(key, indexOf(selection, ids), ids.length);
  const id = index === undefined ? undefined : ids[index];
  return index === undefined || id === undefined ? undefined : { id, index };
}

function indexAfter(key: string, index: number, count: number): number | undefined {
  if (key === "ArrowDown") return (index + 1) % count;
  if (key === "ArrowUp") return (index - 1 + count) % count;
  if (key === "Home") return 0;
  if (key === "End") return count - 1;
  return undefined;
}
