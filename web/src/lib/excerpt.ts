/** The beginning of a Markdown text as plain words, for previews. */
export function beginningOf(text: string | null | undefined, characters = 320): string {
  if (text == null) return "";
  const plain = text
    .replaceAll(/```[\s\S]*?(```|$)/g, " ")
    .replaceAll(/!?\[([^\]]*)\]\([^)]*\)/g, "$1")
    .replaceAll(/^\s{0,3}(#{1,6}|>|[-*+]|\d+\.)\s+/gm, "")
    .replaceAll(/[*_~`|]+/g, "")
    .replaceAll(/\s+/g, " ")
    .trim();
  return plain.length <= characters ? plain : `${plain.slice(0, characters).trimEnd()}…`;
}

/** Without the marks that turn the direction of what follows: for places that cannot isolate a text (a window's title). */
export function withoutMarks(text: string): string {
  return text.replaceAll(/[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g, "");
}
