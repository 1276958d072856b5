import { counted, formatCount } from "@/ui/format";
import { useUnread } from "./store";
import classes from "./UnreadCount.module.css";

const MOST = 99;

/** How many messages of a thread are new, where any are. */
export function UnreadCount({ thread }: { thread: { thread_id: string; message_count: number } }) {
  const count = useUnread(thread);
  if (count === 0) return null;
  return (
    <span className={classes.count} title={counted(count, "new message")}>
      <span aria-hidden>{count > MOST ? `${MOST}+` : formatCount(count)}</span>
      <span className="visually-hidden">, {counted(count, "new message")}</span>
    </span>
  );
}
