import { Popover, Switch, UnstyledButton } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { CheckCheck, CircleCheck, CircleX, Coins, Gavel, Hourglass, type LucideIcon } from "lucide-react";
import { titleQuery } from "@/api/queries";
import { useAccount } from "@/keys/account";
import { Anchor } from "@/ui/Anchor";
import type { Opened } from "@/ui/Opener";
import { Time } from "@/ui/Time";
import { useMounted } from "@/ui/useMounted";
import classes from "./Bell.module.css";
import { bell } from "./bellState";
import type { Notice, NoticeKind } from "./notice";
import { type Outside, setOutside, useOutside } from "./outside";
import { markAllRead, markNoticeRead, useNotices } from "./store";
import { wordsOf } from "./words";

const ICONS: Record<NoticeKind, LucideIcon> = {
  asked: Gavel,
  approved: CircleCheck,
  denied: CircleX,
  expired: Hourglass,
  shared: Coins,
  received: Coins,
  rewarded: Coins,
};

/** The notices, with the switch for those outside of the page. */
export function BellPanel({ id, target, isOpen, onChange }: Opened) {
  const notices = useNotices();
  const isMounted = useMounted();
  return (
    <Popover
      id={id}
      opened={isMounted && isOpen}
      onChange={onChange}
      position="bottom-start"
      width={360}
      shadow="lg"
      trapFocus
      returnFocus
      withinPortal
    >
      <Popover.Target>
        <Anchor element={target} />
      </Popover.Target>
      <Popover.Dropdown className={classes.dropdown} aria-label="Notifications">
        <header className={classes.head}>
          <h2>Notifications</h2>
          {notices.some(({ isRead }) => !isRead) && (
            <UnstyledButton className={classes.all} onClick={markAllRead}>
              <CheckCheck size={15} aria-hidden /> Mark all as read
            </UnstyledButton>
          )}
        </header>
        <NoticeList notices={notices} />
        <OutsideSwitch />
      </Popover.Dropdown>
    </Popover>
  );
}

function NoticeList({ notices }: { notices: readonly Notice[] }) {
  if (notices.length === 0) {
    return (
      <p className={classes.none}>
        Nothing yet. Here you are told when your vote is wanted and what becomes of your specs.
      </p>
    );
  }
  return (
    <ul className={classes.list}>
      {notices.map((notice) => (
        <NoticeRow key={notice.id} notice={notice} />
      ))}
    </ul>
  );
}

function NoticeRow({ notice }: { notice: Notice }) {
  const Icon = ICONS[notice.kind];
  const account = useAccount();
  const open = (): void => {
    markNoticeRead(notice.id);
    bell.set(false);
  };
  const content = (
    <>
      <Icon size={17} aria-hidden className={classes.icon} />
      <span className={classes.words}>
        {wordsOf(notice)}
        {notice.threadId !== undefined && <ThreadTitle threadId={notice.threadId} />}
        <small>
          <Time ms={notice.atMs} />
        </small>
      </span>
      {!notice.isRead && (
        <span className={classes.dot}>
          <span className="visually-hidden">new</span>
        </span>
      )}
    </>
  );
  return (
    <li data-kind={notice.kind}>
      {notice.specId !== undefined ? (
        <Link to="/spec/$specId" params={{ specId: notice.specId }} className={classes.row} onClick={open}>
          {content}
        </Link>
      ) : (
        <Link
          to="/account/$address"
          params={{ address: account?.address ?? "" }}
          className={classes.row}
          onClick={open}
        >
          {content}
        </Link>
      )}
    </li>
  );
}

function ThreadTitle({ threadId }: { threadId: string }) {
  const { data } = useQuery(titleQuery(threadId));
  return data == null ? null : <bdi className={classes.thread}>{data}</bdi>;
}

const EXPLAINED: Record<Outside, string> = {
  on: "While you look elsewhere, your browser shows them.",
  off: "Your browser asks for permission first.",
  blocked: "Your browser blocks them for this page. Allow them in its settings.",
  "unknown-here": "This browser cannot show them.",
};

function OutsideSwitch() {
  const outside = useOutside();
  return (
    <footer className={classes.foot}>
      <Switch
        size="sm"
        label="Show them outside of this page too"
        description={EXPLAINED[outside]}
        checked={outside === "on"}
        disabled={outside === "blocked" || outside === "unknown-here"}
        onChange={(event) => void setOutside(event.currentTarget.checked)}
      />
    </footer>
  );
}
