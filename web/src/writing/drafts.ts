/** What somebody is writing, by where it would go. Kept for the tab's life, so that a reload loses nothing. */
import { useSyncExternalStore } from "react";
import type { PrivacyLevel } from "@/lib/transactions";

export interface Draft {
  readonly text: string;
  /** Hashes of what it cites; `[1]` in the text is the first. */
  readonly priors: readonly string[];
  /** The thread's own level when undefined. */
  readonly privacy?: PrivacyLevel | undefined;
  /** uchoir, for a spec. */
  readonly stake?: string | undefined;
  /** Why it came back, when the node refused it. */
  readonly returned?: string | undefined;
}

export const EMPTY: Draft = { text: "", priors: [] };
const PREFIX = "choir.draft.";
const drafts = new Map<string, Draft>();
const listeners = new Set<() => void>();

export function useDraft(place: string): [Draft, (change: Partial<Draft>) => void] {
  const draft = useSyncExternalStore(subscribe, () => readDraft(place));
  return [draft, (change) => changeDraft(place, change)];
}

export function readDraft(place: string): Draft {
  let draft = drafts.get(place);
  if (draft === undefined) {
    const kept = sessionStorage.getItem(PREFIX + place);
    draft = kept === null ? EMPTY : (JSON.parse(kept) as Draft);
    drafts.set(place, draft);
  }
  return draft;
}

export function changeDraft(place: string, change: Partial<Draft>): void {
  set(place, { ...readDraft(place), ...change });
}

export function dropDraft(place: string): void {
  set(place, EMPTY);
}

/** Give a text back that could not be sent. What has been written since stays, below it. */
export function giveBack(place: string, sent: Draft, reason: string): void {
  const now = readDraft(place);
  const priors = [...sent.priors, ...now.priors.filter((prior) => !sent.priors.includes(prior))];
  const later = renumber(now.text, now.priors, (hash) => priors.indexOf(hash) + 1);
  const text = later.trim() === "" ? sent.text : `${sent.text}\n\n${later}`;
  set(place, { ...sent, text, priors, returned: reason });
}

/** Cite `hash` in the draft: returns the number that stands for it. */
export function citeIn(place: string, hash: string): number {
  const { priors } = readDraft(place);
  const at = priors.indexOf(hash);
  if (at >= 0) return at + 1;
  changeDraft(place, { priors: [...priors, hash] });
  return priors.length + 1;
}

/** The draft without a prior: the marks after it count one less, its own go. */
export function withoutPrior(draft: Draft, hash: string): Draft {
  if (!draft.priors.includes(hash)) return draft;
  const priors = draft.priors.filter((prior) => prior !== hash);
  return { ...draft, text: renumber(draft.text, draft.priors, (prior) => priors.indexOf(prior) + 1), priors };
}

/** The text with other numbers in its marks; a mark whose prior has none any more (0) goes. */
function renumber(text: string, priors: readonly string[], numberOf: (prior: string) => number): string {
  return text.replaceAll(/ ?\[(\d{1,2})\]/g, (mark, digits: string) => {
    const prior = priors[Number(digits) - 1];
    if (prior === undefined) return mark;
    const number = numberOf(prior);
    return number === 0 ? "" : mark.replace(digits, String(number));
  });
}

function set(place: string, draft: Draft): void {
  drafts.set(place, draft);
  if (draft === EMPTY) sessionStorage.removeItem(PREFIX + place);
  else sessionStorage.setItem(PREFIX + place, JSON.stringify(draft));
  for (const listener of listeners) listener();
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}
