/** What the address of a search says. */

/** How old what is found may be. */
export const AGES = ["week", "month", "year"] as const;

export interface SearchParameters {
  q?: string;
  author?: string;
  thread?: string;
  age?: (typeof AGES)[number];
}
