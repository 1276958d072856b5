import { Link } from "@tanstack/react-router";
import type { ThreadView } from "@/api/queries";
import { titleOf } from "@/lib/excerpt";
import { Amount } from "@/ui/Amount";
import { counted } from "@/ui/format";
import { People } from "@/ui/Person";
import { PrivacyBadge } from "@/ui/PrivacyBadge";
import { Time } from "@/ui/Time";
import { UnreadCount } from "@/unread/UnreadCount";
import classes from "./ThreadsView.module.css";

const WORTH_SHOWING = 10_000n; // a hundredth of a CHOIR

/** A thread in a list. */
export function ThreadRow({ thread }: { thread: ThreadView }) {
  return (
    <li className={classes.row}>
      <Link to="/thread/$threadId" params={{ threadId: thread.thread_id }} className={classes.title} dir="auto">
        {titleOf(thread)}
      </Link>{" "}
      <UnreadCount thread={thread} />
      <div className={classes.facts}>
        <People addresses={thread.co_authors} most={4} />
        <span>{counted(thread.message_count, "message")}</span>
        {thread.open_spec_count > 0 && (
          <span className={classes.open}>{counted(thread.open_spec_count, "open spec")}</span>
        )}
        {BigInt(thread.balance) >= WORTH_SHOWING && <Amount uchoir={thread.balance} />}
        <PrivacyBadge level={thread.privacy} quiet />
        <Time ms={thread.created_at_ms} />
      </div>
    </li>
  );
}
