/** Words that are quoted of messages, shown where those messages are previewed. */
import { createContext, useContext } from "react";

const Quotes = createContext<ReadonlyMap<string, readonly string[]>>(new Map());

/** Gives quotes by the content hash of the message. */
export const QuotesProvider = Quotes.Provider;

const NONE: readonly string[] = [];

export function useQuotes(hash: string): readonly string[] {
  return useContext(Quotes).get(hash) ?? NONE;
}
