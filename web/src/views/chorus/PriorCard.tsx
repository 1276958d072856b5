import { Link } from "@tanstack/react-router";
import type { PriorView } from "@/chorus/events";
import { beginningOf, withoutTitle } from "@/lib/excerpt";
import { formatShare } from "@/ui/format";
import { Person } from "@/ui/Person";
import { Time } from "@/ui/Time";
import classes from "./PriorCard.module.css";

/** A message that the chorus was given, with its thread, its author, and how close it is to the question. */
export function PriorCard({ prior, isRemoved }: { prior: PriorView; isRemoved: boolean }) {
  return (
    <li className={classes.card} data-removed={isRemoved || undefined}>
      <Link to="/message/$hash" params={{ hash: prior.content_hash }} className={classes.title} dir="auto">
        {prior.title ?? "A message"}
      </Link>
      <p className={classes.text} dir="auto">
        {isRemoved
          ? "You may not read this message any more."
          : beginningOf(withoutTitle(prior.text, prior.title), 220)}
      </p>
      <p className={classes.foot}>
        <Person address={prior.author} size={17} />
        <Time ms={prior.created_at_ms} />
        {prior.similarity !== null && (
          <span className={classes.share} title="How close the message is to what was searched for">
            {formatShare(prior.similarity)} similar
          </span>
        )}
      </p>
    </li>
  );
}
