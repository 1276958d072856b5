import { Button, SegmentedControl } from "@mantine/core";
import { useInfiniteQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { MessagesSquare, PenLine } from "lucide-react";
import { useState } from "react";
import { threadsQuery } from "@/api/queries";
import { useAccount } from "@/keys/account";
import { Page } from "@/ui/Page";
import { Empty, Failure, Loading } from "@/ui/States";
import { ThreadRow } from "./ThreadRow";
import classes from "./ThreadsView.module.css";

export function ThreadsView() {
  const address = useAccount()?.address;
  const [isOwn, setOwn] = useState(false);
  return (
    <Page
      title="Threads"
      actions={
        address !== undefined && (
          <div className={classes.tools}>
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
            <Button component={Link} to="/new" size="xs" leftSection={<PenLine size={15} />}>
              Begin a thread
            </Button>
          </div>
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
