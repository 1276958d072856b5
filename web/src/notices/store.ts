/** Notices of the account in use: gathered from its live news, kept in this browser. */
import { useSyncExternalStore } from "react";
import { onSessionChange, sessionState } from "@/api/session";
import { keep, readKept } from "@/lib/kept";
import type { LedgerEvent, Update } from "@/live/frames";
import { addNotice, endedRequest, type Notice, noticeOf, noticeOfSpec } from "./notice";

interface Kept {
  /** The last event that was looked at; undefined: none yet, and what is past is no news. */
  lastSeq?: number;
  notices: readonly Notice[];
}

const EMPTY: Kept = { notices: [] };
const NOBODY = "";

let me = NOBODY;
let state: Kept = EMPTY;
const listeners = new Set<() => void>();
const newsListeners = new Set<(notice: Notice) => void>();

/** Begin to gather. */
export function startNotices(onUpdate: (listener: (update: Update) => void) => void): void {
  onSessionChange(follow);
  follow();
  window.addEventListener("storage", (event) => {
    if (event.key === keyNow()) load();
  });
  onUpdate(receive);
}

export function useNotices(): readonly Notice[] {
  return useSyncExternalStore(subscribe, () => state.notices);
}

/** Called with each notice as it comes, not with those that were missed. */
export function onNotice(listener: (notice: Notice) => void): () => void {
  newsListeners.add(listener);
  return () => newsListeners.delete(listener);
}

export function markNoticeRead(id: string): void {
  set({ notices: state.notices.map((notice) => (notice.id === id ? { ...notice, isRead: true } : notice)) });
}

export function markAllRead(): void {
  set({ notices: state.notices.map((notice) => (notice.isRead ? notice : { ...notice, isRead: true })) });
}

function receive(update: Update): void {
  if (me === NOBODY) return;
  if (update.is === "account-sync" && update.account.address === me) {
    const history = [...(update.account.history.items as unknown as LedgerEvent[])].sort((a, b) => a.seq - b.seq);
    const newest = history.at(-1)?.seq ?? 0;
    // In a browser that is new to the account only what is open is news.
    if (state.lastSeq === undefined) set({ lastSeq: newest });
    for (const event of history) take(event, false);
    for (const spec of update.account.awaiting) add(noticeOfSpec(spec), false);
  } else if (update.is === "news" && update.threadId === null) {
    take(update.news.event, true);
  }
}

function take(event: LedgerEvent, isLive: boolean): void {
  if (event.seq <= (state.lastSeq ?? 0)) return;
  const ended = endedRequest(event, me);
  const notices = ended === undefined ? state.notices : state.notices.filter(({ id }) => id !== ended);
  set({ lastSeq: event.seq, notices });
  const notice = noticeOf(event, me);
  if (notice !== undefined) add(notice, isLive);
}

function add(notice: Notice, isLive: boolean): void {
  const notices = addNotice(state.notices, notice);
  if (notices === state.notices) return;
  set({ notices });
  if (isLive) for (const listener of newsListeners) listener(notice);
}

function set(change: Partial<Kept>): void {
  state = { ...state, ...change };
  if (me !== NOBODY) keep(keyNow(), state);
  notify();
}

function follow(): void {
  const session = sessionState();
  const next = session.is === "signed-out" ? NOBODY : session.address;
  if (next === me) return;
  me = next;
  load();
}

function load(): void {
  state = me === NOBODY ? EMPTY : readKept<Kept>(keyNow(), EMPTY);
  notify();
}

function keyNow(): string {
  return `choir.notices.${me}`;
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

function notify(): void {
  for (const listener of listeners) listener();
}
