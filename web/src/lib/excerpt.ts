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
