/** An answer for readers, and as a message that somebody signs: the same form as `choir runs post` gives it. */
import type { AnswerCitation, RunDetail } from "./events";

const MARK = /\[(p[0-9]{1,4})\]/g;
// biome-ignore lint/suspicious/noControlCharactersInRegex: the ledger takes none of them
const CONTROL = /[\x00-\x08\x0b-\x1f\x7f-\x9f]/g;

export interface Numbered {
  /** The answer with marks `[1]`, `[2]`, …. */
  readonly text: string;
  /** Behind each number the citations of one message, in the order of the marks. */
  readonly sources: readonly (readonly [AnswerCitation, ...AnswerCitation[]])[];
}

export function numberCitations(answer: string, citations: readonly AnswerCitation[]): Numbered {
  const byPrior = new Map<string, [AnswerCitation, ...AnswerCitation[]]>();
  for (const citation of citations) {
    const known = byPrior.get(citation.prior);
    if (known === undefined) byPrior.set(citation.prior, [citation]);
    else known.push(citation);
  }
  const marked = [...answer.matchAll(MARK)].map((match) => match[1] ?? "").filter((prior) => byPrior.has(prior));
  const order = [...new Set([...marked, ...byPrior.keys()])];
  const numbers = new Map(order.map((prior, at) => [prior, at + 1]));
  const text = answer.replaceAll(MARK, (mark, prior: string) => {
    const number = numbers.get(prior);
    return number === undefined ? mark : `[${number}]`;
  });
  return { text, sources: order.flatMap((prior) => [byPrior.get(prior) ?? []]) as never };
}

/** Question, answer and sources as one message, with the hashes that it cites. */
export function composeMessage(run: Pick<RunDetail, "prompt" | "answer" | "citations">): {
  text: string;
  priors: string[];
} {
  const { text, sources } = numberCitations(run.answer ?? "", run.citations);
  const priors = sources.map(([citation]) => citation.content_hash);
  const list = priors.map((hash, at) => `[${at + 1}] ${hash}`).join("\n");
  const parts = [`Question: ${run.prompt}`, text, ...(list === "" ? [] : [`Sources:\n\n${list}`])];
  return { text: parts.join("\n\n").replaceAll("\r\n", "\n").replaceAll(CONTROL, " ").normalize("NFC").trim(), priors };
}
