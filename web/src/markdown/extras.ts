/** What only some texts need, loaded when the first of them is shown: formulas, and the colours of code. */
import { useEffect, useSyncExternalStore } from "react";
import type { PluggableList } from "unified";

export interface Plugins {
  readonly remark: PluggableList;
  readonly rehype: PluggableList;
}

const NONE: Plugins = { remark: [], rehype: [] };
const loaders = {
  math: () => import("./math"),
  code: () => import("./highlight"),
} as const;
type Extra = keyof typeof loaders;

const loaded = new Map<Extra, Plugins>();
const loading = new Set<Extra>();
const combined = new Map<string, Plugins>();
const listeners = new Set<() => void>();

/** The plugins that `text` needs, as far as they are there; the rest is on its way. */
export function useExtras(text: string): Plugins {
  const needed = neededBy(text);
  const key = needed.join("+");
  useEffect(() => {
    for (const extra of key.split("+")) if (extra !== "") load(extra as Extra);
  }, [key]);
  return useSyncExternalStore(subscribe, () => combine(needed));
}

export function neededBy(text: string): Extra[] {
  const needed: Extra[] = [];
  if (/\$[^$\n]+\$|\$\$/.test(text)) needed.push("math");
  if (/^\s*(```|~~~)\s*\w/m.test(text)) needed.push("code");
  return needed;
}

function combine(needed: readonly Extra[]): Plugins {
  const ready = needed.filter((extra) => loaded.has(extra));
  if (ready.length === 0) return NONE;
  const key = ready.join("+");
  let plugins = combined.get(key);
  if (plugins === undefined) {
    const parts = ready.map((extra) => loaded.get(extra) ?? NONE);
    plugins = { remark: parts.flatMap((part) => part.remark), rehype: parts.flatMap((part) => part.rehype) };
    combined.set(key, plugins);
  }
  return plugins;
}

function load(extra: Extra): void {
  if (loading.has(extra)) return;
  loading.add(extra);
  loaders[extra]().then(
    ({ plugins }) => {
      loaded.set(extra, plugins);
      for (const listener of listeners) listener();
    },
    // Without them the text is still readable; the next one that needs them tries again.
    () => loading.delete(extra),
  );
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}
