/**
 * An answer that was on its way when news came may be older than the news. So what came meanwhile is applied once
 * more when it has arrived; to apply twice is to apply once.
 */
import type { QueryClient } from "@tanstack/react-query";
import { hashKey } from "@tanstack/react-query";
import { applyUpdate } from "./cache";
import type { Update } from "./frames";

/** Bounded: beyond this many, the query is read again instead. */
const MOST = 500;

export class Replayer {
  private readonly waiting = new Map<string, Update[]>();

  constructor(
    private readonly cache: QueryClient,
    private readonly reader: () => string | null,
  ) {}

  /** Apply an update, and remember it while the query it concerns is being read. */
  apply(update: Update): void {
    applyUpdate(this.cache, update, this.reader());
    const queryKey = keyOf(update, this.reader());
    if (queryKey !== undefined && this.cache.getQueryState(queryKey)?.fetchStatus === "fetching") {
      this.remember(hashKey(queryKey), update);
    }
    if (update.is === "news" && isOfSpecs(update.type)) {
      void this.cache.invalidateQueries({ queryKey: ["specs"], fetchStatus: "fetching" });
    }
  }

  /** Watch for answers. Returns how to stop. */
  start(): () => void {
    return this.cache.getQueryCache().subscribe((event) => {
      if (event.type !== "updated") return;
      const { type } = event.action;
      const hasArrived = type === "success" && event.action.manual !== true;
      if (!hasArrived && type !== "error") return;
      const updates = this.waiting.get(event.query.queryHash);
      this.waiting.delete(event.query.queryHash);
      // After the others have been told of the answer itself.
      if (hasArrived && updates !== undefined) queueMicrotask(() => this.again(event.query.queryKey, updates));
    });
  }

  private again(queryKey: readonly unknown[], updates: readonly Update[]): void {
    if (updates.length > MOST) void this.cache.invalidateQueries({ queryKey });
    else for (const update of updates) applyUpdate(this.cache, update, this.reader());
  }

  private remember(hash: string, update: Update): void {
    const updates = this.waiting.get(hash) ?? [];
    if (updates.length <= MOST) updates.push(update);
    this.waiting.set(hash, updates);
  }
}

function keyOf(update: Update, me: string | null): readonly unknown[] | undefined {
  if (update.is === "thread-sync") return ["thread", update.threadId];
  if (update.is === "news" && update.threadId !== null) return ["thread", update.threadId];
  return me === null || update.is === "ended" ? undefined : ["account", me];
}

function isOfSpecs(type: string): boolean {
  return type === "approval_request" || type === "new_approval" || type === "settled";
}
