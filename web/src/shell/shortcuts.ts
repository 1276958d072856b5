/** What can be done with single keys: the one list for the keyboard, the help and the palette. */
import { useNavigate } from "@tanstack/react-router";
import { useEffect, useMemo, useSyncExternalStore } from "react";
import { keep, readKept } from "@/lib/kept";
import { bell } from "@/notices/bellState";
import { help } from "./help";
import { KeyReader } from "./keys";
import { moveInFeed } from "./moving";
import { openPalette } from "./palette";

export interface Shortcut {
  /** Keys as they are pressed, one after the other. */
  keys: string;
  does: string;
  group: "Go to" | "Do" | "In a thread";
  run: () => void;
}

const KEY = "choir.shortcuts";
const listeners = new Set<() => void>();
let isOn = readKept(KEY, true);

export function useShortcutsOn(): boolean {
  return useSyncExternalStore(subscribe, () => isOn);
}

/** Single keys can be turned off: who speaks to the computer, or slips, would set them off unwillingly. */
export function setShortcutsOn(next: boolean): void {
  isOn = next;
  keep(KEY, next);
  for (const listener of listeners) listener();
}

export function useShortcutList(): readonly Shortcut[] {
  const navigate = useNavigate();
  return useMemo(
    () => [
      { keys: "g h", does: "Home", group: "Go to", run: () => void navigate({ to: "/" }) },
      { keys: "g t", does: "Threads", group: "Go to", run: () => void navigate({ to: "/threads" }) },
      { keys: "g a", does: "Ask the chorus", group: "Go to", run: () => void navigate({ to: "/runs" }) },
      { keys: "g d", does: "Decisions", group: "Go to", run: () => void navigate({ to: "/approvals" }) },
      { keys: "g s", does: "Search", group: "Go to", run: () => void navigate({ to: "/search" }) },
      { keys: "g n", does: "Network", group: "Go to", run: () => void navigate({ to: "/network" }) },
      { keys: "/", does: "Search or go to anything", group: "Do", run: openPalette },
      { keys: "n", does: "Begin a thread", group: "Do", run: () => void navigate({ to: "/new" }) },
      { keys: "b", does: "Open the notifications", group: "Do", run: () => bell.set(true) },
      { keys: "?", does: "Show the keyboard shortcuts", group: "Do", run: () => help.set(true) },
      { keys: "j", does: "Next message", group: "In a thread", run: () => moveInFeed(1) },
      { keys: "k", does: "Message before", group: "In a thread", run: () => moveInFeed(-1) },
    ],
    [navigate],
  );
}

/** Listen to the keyboard for as long as the component is shown. */
export function useShortcuts(): void {
  const list = useShortcutList();
  useEffect(() => {
    const reader = new KeyReader(list.map(({ keys }) => keys));
    const press = (event: KeyboardEvent): void => {
      if (!isOn || event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented || isElsewhere(event))
        return;
      const keys = reader.press(event.key, event.timeStamp);
      if (keys === undefined) return;
      event.preventDefault();
      list.find((shortcut) => shortcut.keys === keys)?.run();
    };
    window.addEventListener("keydown", press);
    return () => window.removeEventListener("keydown", press);
  }, [list]);
}

/** Whether the key is meant for a field, a menu or a dialog. */
function isElsewhere({ target }: KeyboardEvent): boolean {
  if (!(target instanceof Element)) return false;
  return (
    target.closest("input, textarea, select, [contenteditable], [role=dialog], [role=menu], [role=listbox]") !== null
  );
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}
