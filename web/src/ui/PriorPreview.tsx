import { useQuery } from "@tanstack/react-query";
import { isRefusal } from "@/api/errors";
import { citationsQuery, type MessageView, messageQuery, titleQuery } from "@/api/queries";
import { beginningOf, titleOf, withoutTitle } from "@/lib/excerpt";
import { formatShare } from "./format";
import { Person } from "./Person";
import classes from "./PriorPreview.module.css";
import { useQuotes } from "./quotes";
import { Loading } from "./States";
import { Time } from "./Time";

/** The beginning of a prior with its thread, author, age, and how close it is to the message that cites it. */
export function PriorPreview({ hash, citing }: { hash: string; citing: string | undefined }) {
  const message = useQuery(messageQuery(hash));
  const quotes = useQuotes(hash);
  const citations = useQuery({ ...citationsQuery(citing ?? ""), enabled: citing !== undefined });
  const title = useQuery({ ...titleQuery(message.data?.thread_id ?? ""), enabled: message.data !== undefined });
  if (message.error !== null) {
    return (
      <p className={classes.none}>
        {isRefusal(message.error, "NotFound")
          ? "This message is not here, or not for you to read."
          : message.error.message}
      </p>
    );
  }
  if (message.data === undefined) return <Loading lines={3} what="the prior" />;
  const { author, created_at_ms } = message.data;
  const bond = citations.data?.priors.find((prior) => prior.message.content_hash === hash);
  return (
    <article className={classes.preview}>
      {title.data != null && (
        <p className={classes.thread} dir="auto">
          {titleOf({ title: title.data })}
        </p>
      )}
      {quotes.map((quote) => (
        <blockquote key={quote} className={classes.quote} dir="auto">
          {beginningOf(quote)}
        </blockquote>
      ))}
      <p className={classes.text} data-short={quotes.length > 0 || undefined} dir="auto">
        {wordsOf(message.data, title.data ?? null)}
      </p>
      <footer className={classes.foot}>
        <Person address={author} size={18} />
        <Time ms={created_at_ms} />
        {bond?.resonance != null && (
          <span className={classes.bond} title="How close the two texts are: the resonance of the citation">
            {formatShare(bond.resonance)} similar
          </span>
        )}
      </footer>
    </article>
  );
}

function wordsOf({ text, summary, is_erased, privacy }: MessageView, title: string | null): string {
  if (is_erased) return "Its author has erased it.";
  if (privacy === "encrypted") return "It is encrypted: only who holds its key reads it.";
  return beginningOf(withoutTitle(text ?? summary ?? "", title)) || "Its text is not for you to read.";
}
