import { Kbd, UnstyledButton } from "@mantine/core";
import { useInfiniteQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { PenLine, Search } from "lucide-react";
import { type ThreadView, threadsQuery } from "@/api/queries";
import { useAccount } from "@/keys/account";
import { titleOf } from "@/lib/excerpt";
import { Bell } from "@/notices/Bell";
import { UnreadCount } from "@/unread/UnreadCount";
import { AccountMenu } from "./AccountMenu";
import { Mark } from "./Mark";
import { NAVIGATION } from "./navigation";
import { openPalette, PALETTE_KEYS } from "./palette";
import classes from "./Sidebar.module.css";

const RECENT_SHOWN = 30;

export function Sidebar() {
  return (
    <div className={classes.sidebar}>
      <div className={classes.top}>
        <Link to="/" className={classes.brand}>
          <Mark /> Choir
        </Link>
        <Bell />
      </div>
      <UnstyledButton className={classes.search} onClick={openPalette}>
        <Search size={16} aria-hidden /> <span>Search or go to…</span> <Kbd size="xs">{PALETTE_KEYS}</Kbd>
      </UnstyledButton>
      <nav aria-label="Main">
        <ul className={classes.list}>
          {NAVIGATION.map(({ to, label, icon: Icon, Count }) => (
            <li key={to}>
              <Link to={to} className={classes.entry} activeOptions={{ exact: to === "/" }}>
                <Icon size={17} aria-hidden /> <span>{label}</span> {Count !== undefined && <Count />}
              </Link>
            </li>
          ))}
        </ul>
      </nav>
      <ThreadLists />
      <AccountMenu />
    </div>
  );
}

function ThreadLists() {
  const address = useAccount()?.address;
  return (
    <nav aria-label="Threads" className={classes.threads}>
      {address !== undefined && <OwnThreads address={address} />}
      <RecentThreads except={address} />
    </nav>
  );
}

function OwnThreads({ address }: { address: string }) {
  const { data } = useInfiniteQuery(threadsQuery(address));
  const threads = data?.pages[0]?.items ?? [];
  return (
    <section>
      <div className={classes.heading}>
        <h2>Yours</h2>
        <Link to="/new" className={classes.action} aria-label="Begin a thread">
          <PenLine size={15} />
        </Link>
      </div>
      {threads.length === 0 ? <p className={classes.none}>None yet.</p> : <Entries threads={threads} />}
    </section>
  );
}

function RecentThreads({ except }: { except: string | undefined }) {
  const { data } = useInfiniteQuery(threadsQuery());
  const recent = data?.pages[0]?.items ?? [];
  const others = recent.filter((thread) => except === undefined || !thread.co_authors.includes(except));
  return (
    <section>
      <div className={classes.heading}>
        <h2>Recent</h2>
      </div>
      <Entries threads={others.slice(0, RECENT_SHOWN)} />
    </section>
  );
}

function Entries({ threads }: { threads: readonly ThreadView[] }) {
  return (
    <ul className={classes.list}>
      {threads.map((thread) => (
        <li key={thread.thread_id}>
          <Link to="/thread/$threadId" params={{ threadId: thread.thread_id }} className={classes.thread}>
            <span dir="auto">{titleOf(thread)}</span> <UnreadCount thread={thread} />
          </Link>
        </li>
      ))}
    </ul>
  );
}
