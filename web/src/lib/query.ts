/** How long a search's query may be; the rule of the node (`choir.primitives.queries`), which reads no more. */

export const MAXIMUM_QUERY_CHARACTERS = 8_192;

/** The query as the node reads it, cut between words (or within one that is too long), and whether it was cut. */
export function cutQuery(query: string): [text: string, isCut: boolean] {
  const characters = Array.from(
    query
      .normalize("NFC")
      .replace(/\p{Cc}/gu, " ")
      .trim(),
  );
  if (characters.length <= MAXIMUM_QUERY_CHARACTERS) return [characters.join(""), false];
  const space = characters.lastIndexOf(" ", MAXIMUM_QUERY_CHARACTERS - 1);
  const end = space < MAXIMUM_QUERY_CHARACTERS / 2 ? MAXIMUM_QUERY_CHARACTERS : space;
  return [characters.slice(0, end).join("").trimEnd(), true];
}
