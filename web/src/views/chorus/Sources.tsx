import { Link } from "@tanstack/react-router";
import type { Numbered } from "@/chorus/citations";
import type { PriorView } from "@/chorus/events";
import { beginningOf } from "@/lib/excerpt";
import { formatShare } from "@/ui/format";
import { Person } from "@/ui/Person";
import { Time } from "@/ui/Time";
import classes from "./Sources.module.css";

const MOST_CHARACTERS = 600;

/** What the answer cites, in the order of its marks, with the quoted words. */
export function Sources({ sources, priors }: { sources: Numbered["sources"]; priors: ReadonlyMap<string, PriorView> }) {
  if (sources.length === 0) return <p className={classes.none}>The answer cites nothing.</p>;
  return (
    <section className={classes.sources}>
      <h2>Sources</h2>
      <ol className={classes.list}>
        {sources.map((citations, at) => (
          <Source
            key={citations[0].content_hash}
            number={at + 1}
            citations={citations}
            prior={priors.get(citations[0].prior)}
          />
        ))}
      </ol>
    </section>
  );
}

interface SourceProps {
  number: number;
  citations: Numbered["sources"][number];
  prior: PriorView | undefined;
}

function Source({ number, citations, prior }: SourceProps) {
  const quotes = [...new Set(citations.map(({ quote }) => quote))];
  return (
    <li className={classes.source}>
      <span className={classes.number} aria-hidden>
        {number}
      </span>
      <div className={classes.body}>
        <Link to="/message/$hash" params={{ hash: citations[0].content_hash }} className={classes.title} dir="auto">
          {prior?.title ?? "The cited message"}
        </Link>
        {quotes.map((quote) => (
          <blockquote key={quote} className={classes.quote} dir="auto">
            {beginningOf(quote, MOST_CHARACTERS)}
          </blockquote>
        ))}
        {prior !== undefined && (
          <p className={classes.foot}>
            <Person address={prior.author} size={18} />
            <Time ms={prior.created_at_ms} />
            {prior.similarity !== null && (
              <span title="How close the message is to the question">{formatShare(prior.similarity)} similar</span>
            )}
          </p>
        )}
      </div>
    </li>
  );
}
