import { Button } from "@mantine/core";
import { useInfiniteQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { KeyRound, PenLine } from "lucide-react";
import { specsQuery, threadsQuery } from "@/api/queries";
import { awaits } from "@/deciding/record";
import { useAccountState } from "@/keys/account";
import { counted } from "@/ui/format";
import { Failure, Loading } from "@/ui/States";
import { ThreadRow } from "../threads/ThreadRow";
import classes from "./HomeView.module.css";

const SHOWN = 8;

export function HomeView() {
  const { active, isLoaded } = useAccountState();
  return (
    <div className={classes.home}>
      {active === undefined ? <Welcome canJoin={isLoaded} /> : <Personal address={active.address} />}
      <section className={classes.section}>
        <header className={classes.head}>
          <h2>Recent threads</h2>
          <Link to="/threads" className="link">
            All threads
          </Link>
        </header>
        <RecentThreads />
      </section>
    </div>
  );
}

function Welcome({ canJoin }: { canJoin: boolean }) {
  return (
    <>
      <h1 className={classes.title}>Knowledge that people write and own together</h1>
      <p className={classes.lead}>
        Read what is public, cite it, and write with others. What you write is yours: signed with your key, provable to
        anyone.
      </p>
      <div className={classes.buttons} data-ready={canJoin}>
        <Button size="md" component={Link} to="/join" leftSection={<KeyRound size={18} />}>
          Join with a key of your own
        </Button>
        <Button size="md" variant="default" component={Link} to="/threads">
          Read first
        </Button>
      </div>
    </>
  );
}

function Personal({ address }: { address: string }) {
  const specs = useInfiniteQuery(specsQuery({ voter: address, status: "open" }));
  const waiting = specs.data?.pages.flatMap((page) => page.items).filter((spec) => awaits(spec, address)).length ?? 0;
  return (
    <>
      <h1 className={classes.title}>What do you know today?</h1>
      <div className={classes.buttons} data-ready>
        <Button size="md" component={Link} to="/new" leftSection={<PenLine size={18} />}>
          Begin a thread
        </Button>
        <Button size="md" variant="default" component={Link} to="/approvals">
          {waiting === 0
            ? "Nothing awaits your vote"
            : `${counted(waiting, "spec")} ${waiting === 1 ? "awaits" : "await"} your vote`}
        </Button>
      </div>
    </>
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
