/** A formula within a sentence, by the rule of the Markdown view: no blank inside its signs, no digit behind them. */
const FORMULA = /\$(?!\s)([^$\n]+?)(?<!\s)\$(?!\d)/g;

/** The beginning of a Markdown text as plain words, for previews. */
export function beginningOf(text: string | null | undefined, characters = 320): string {
  if (text == null) return "";
  const plain = text
    .replaceAll(/```[\s\S]*?(```|$)/g, " ")
    // Set apart, a formula is no sentence, and its source is none for people.
    .replaceAll(/\$\$[\s\S]*?(\$\$|$)/g, " … ")
    // A table without its columns is a row of words.
    .replaceAll(/^\s*\|.*\|\s*$/gm, "")
    .replaceAll(FORMULA, (_, source: string) => (source.includes("\\") ? "…" : source))
    // A sentence may need the mark of what it cites ("[1] gives the force").
    .replaceAll(/\[\^?p?(\d{1,2})\](?!\()/g, "[$1]")
    .replaceAll(/^\s{0,3}#{1,6}\s+(.*?)[\s.:]*$(?=\s*\S)/gm, "$1 – ")
    .replaceAll(/!?\[([^\]]*)\]\([^)]*\)/g, "$1")
    .replaceAll(/^\s{0,3}(#{1,6}|>|[-*+]|\d+\.)\s+/gm, "")
    .replaceAll(/[*_~`|]+/g, "")
    .replaceAll(/\s+/g, " ")
    .trim();
  return plain.length <= characters ? plain : `${plain.slice(0, characters).trimEnd()}…`;
}

interface Readable {
  privacy: string;
  text: string | null;
  summary?: string | null;
}

/** The beginning of what the reader is given of a message; nothing of an encrypted one, which is no text for people. */
export function beginningOfMessage(message: Readable | undefined, characters?: number): string {
  if (message === undefined || message.privacy === "encrypted") return "";
  return beginningOf(message.text ?? message.summary, characters);
}

/** A text without its heading, where that only repeats the title that stands above it. Plain words stay. */
export function withoutTitle(text: string, title: string | null): string {
  if (title === null) return text;
  const [first = "", ...rest] = text.split("\n");
  return first.startsWith("#") && first.replace(/^#+\s*/, "").trim() === title
    ? rest.join("\n").trimStart() || text
    : text;
}

/** A thread's title for people, without Markdown's marks. */
export function titleOf(thread: { title: string | null }): string {
  return thread.title?.replaceAll(/[`*]/g, "") ?? "Private thread";
}

/** Without the marks that turn the direction of what follows: for places that cannot isolate a text (a window's title). */
export function withoutMarks(text: string): string {
  return text.replaceAll(/[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g, "");
}
