import { useInfiniteQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { threadsQuery } from "@/api/queries";
import { Failure, Loading } from "@/ui/States";
import { ThreadRow } from "../threads/ThreadsView";
import classes from "./HomeView.module.css";

const SHOWN = 8;

export function HomeView() {
  return (
    <div className={classes.home}>
      <h1 className={classes.title}>Knowledge that people write and own together</h1>
      <p className={classes.lead}>
        Read what is public, cite it, and write with others. What you write is yours: signed with your key, provable to
        anyone.
      </p>
      <section className={classes.section}>
        <header className={classes.head}>
          <h2>Recent threads</h2>
          <Link to="/threads">All threads</Link>
        </header>
        <RecentThreads />
      </section>
    </div>
  );
}

function RecentThreads() {
  const { data, error, refetch } = useInfiniteQuery(threadsQuery());
  if (error !== null && data === undefined)
    return <Failure error={error} onRetry={() => void refetch()} what="The threads" />;
  if (data === undefined) return <Loading what="the threads" />;
  const threads = data.pages[0]?.items.slice(0, SHOWN) ?? [];
  if (threads.length === 0) return <p className="quiet">Nobody has written here yet. The first thread can be yours.</p>;
  return (
    <ul className={classes.list}>
      {threads.map((thread) => (
        <ThreadRow key={thread.thread_id} thread={thread} />
      ))}
    </ul>
  );
}
