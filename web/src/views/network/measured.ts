/** What an epoch came to, in words and in numbers for people. */
import { counted, formatCount } from "@/ui/format";
import type { Epoch } from "./queries";

const fraction = new Intl.NumberFormat(undefined, { minimumFractionDigits: 3, maximumFractionDigits: 3 });

/** Three places, rounded down: what is not quite 1 never looks like it. */
export function formatMillionths(value: number): string {
  return fraction.format(Math.floor(value / 1000) / 1000);
}

type Kind = readonly [one: string, many: string];

const PROBLEMS: Readonly<Record<string, Kind>> = {
  record_missing: ["message is not in the memory", "messages are not in the memory"],
  text_missing: ["text is not in the memory", "texts are not in the memory"],
  unreadable: ["text cannot be read", "texts cannot be read"],
  hash_differs: ["text is not the one that was signed", "texts are not those that were signed"],
  not_on_ledger: ["message is unknown to the ledger", "messages are unknown to the ledger"],
  embedding_damaged: ["embedding is damaged", "embeddings are damaged"],
};

/** What was wrong, one line each; none where all was as it should be. */
export function describeProblems({ checked }: Epoch): string[] {
  const found = Object.entries(checked.problems ?? {}).map(([kind, count]) => {
    if (kind === "search_unavailable") return "search did not answer";
    const [one, many] = PROBLEMS[kind] ?? [kind, kind];
    return `${formatCount(count)} ${count === 1 ? one : many}`;
  });
  const lost = checked.records - checked.records_held;
  if (lost > 0 && !hasLoss(checked.problems ?? {})) found.push(`${counted(lost, "message")} not held`);
  const missed = checked.answers - checked.answers_given;
  if (missed > 0) found.push(`${counted(missed, "answer")} of ${formatCount(checked.answers)} not found by search`);
  return found;
}

function hasLoss(problems: Readonly<Record<string, number>>): boolean {
  return ["record_missing", "text_missing", "embedding_damaged"].some((kind) => (problems[kind] ?? 0) > 0);
}

/** What was looked at. */
export function describeChecked({ checked }: Epoch): string {
  const parts = [
    counted(checked.records, "message"),
    counted(checked.challenges, "text"),
    counted(checked.answers, "answer of search", "answers of search"),
  ];
  return parts.join(", ");
}
