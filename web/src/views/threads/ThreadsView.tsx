import { Button, SegmentedControl } from "@mantine/core";
import { useInfiniteQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { MessagesSquare } from "lucide-react";
import { useState } from "react";
import { type ThreadView, threadsQuery } from "@/api/queries";
import { useAccount } from "@/keys/account";
import { Amount } from "@/ui/Amount";
import { counted } from "@/ui/format";
import { Page } from "@/ui/Page";
import { People } from "@/ui/Person";
import { PrivacyBadge } from "@/ui/PrivacyBadge";
import { Empty, Failure, Loading } from "@/ui/States";
import { Time } from "@/ui/Time";
import classes from "./ThreadsView.module.css";

export function ThreadsView() {
  const address = useAccount()?.address;
  const [isOwn, setOwn] = useState(false);
  return (
    <Page
      title="Threads"
      actions={
        address !== undefined && (
          <SegmentedControl
            size="xs"
            aria-label="Which threads"
            value={isOwn ? "own" : "all"}
            onChange={(value) => setOwn(value === "own")}
            data={[
              { value: "all", label: "All" },
              { value: "own", label: "Yours" },
            ]}
          />
        )
      }
    >
      <ThreadList coAuthor={isOwn ? address : undefined} />
    </Page>
  );
}

function ThreadList({ coAuthor }: { coAuthor: string | undefined }) {
  const { data, error, refetch, hasNextPage, fetchNextPage, isFetchingNextPage } = useInfiniteQuery(
    threadsQuery(coAuthor),
  );
  if (data === undefined) {
    return error === null ? (
      <Loading what="the threads" lines={10} />
    ) : (
      <Failure error={error} onRetry={() => void refetch()} what="The threads" />
    );
  }
  const threads = data.pages.flatMap((page) => page.items);
  if (threads.length === 0) {
    return (
      <Empty icon={<MessagesSquare />} title={coAuthor === undefined ? "No threads yet" : "You own no thread yet"}>
        <p>
          Begin one of your own, or submit a spec to somebody else's: when all its co-authors approve it, you are one of
          them.
        </p>
      </Empty>
    );
  }
  return (
    <>
      <ul className={classes.list}>
        {threads.map((thread) => (
          <ThreadRow key={thread.thread_id} thread={thread} />
        ))}
      </ul>
      {hasNextPage && (
        <Button variant="default" fullWidth loading={isFetchingNextPage} onClick={() => void fetchNextPage()}>
          Show more
        </Button>
      )}
    </>
  );
}

export function ThreadRow({ thread }: { thread: ThreadView }) {
  return (
    <li className={classes.row}>
      <Link to="/thread/$threadId" params={{ threadId: thread.thread_id }} className={classes.title} dir="auto">
        {thread.title ?? "Private thread"}
      </Link>
      <div className={classes.facts}>
        <People addresses={thread.co_authors} most={4} />
        <span>{counted(thread.message_count, "message")}</span>
        {thread.open_spec_count > 0 && (
          <span className={classes.open}>{counted(thread.open_spec_count, "open spec")}</span>
        )}
        {thread.balance !== "0" && <Amount uchoir={thread.balance} />}
        <PrivacyBadge level={thread.privacy} quiet />
        <Time ms={thread.created_at_ms} />
      </div>
    </li>
  );
}
