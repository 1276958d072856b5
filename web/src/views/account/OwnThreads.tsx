import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { type AccountView, titleQuery } from "@/api/queries";
import { Amount } from "@/ui/Amount";
import { shortHash } from "@/ui/format";
import classes from "./AccountView.module.css";

type OwnThread = AccountView["threads"][number];

/** The threads of an account with what they own, and the account's share. */
export function OwnThreads({ account }: { account: AccountView }) {
  if (account.threads.length === 0) return null;
  return (
    <section>
      <h2 className={classes.heading}>Threads</h2>
      <ul className={classes.rows}>
        {account.threads.map((thread) => (
          <Row key={thread.thread_id} thread={thread} />
        ))}
      </ul>
    </section>
  );
}

function Row({ thread }: { thread: OwnThread }) {
  const title = useQuery(titleQuery(thread.thread_id));
  return (
    <li>
      <span className={classes.what} dir="auto">
        <Link to="/thread/$threadId" params={{ threadId: thread.thread_id }}>
          {title.data ?? shortHash(thread.thread_id)}
        </Link>
      </span>
      <span className={classes.when}>
        owns <Amount uchoir={thread.balance} />
      </span>
    </li>
  );
}
