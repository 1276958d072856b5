import { useInfiniteQuery } from "@tanstack/react-query";
import { useParams, useSearch } from "@tanstack/react-router";
import { threadQuery } from "@/api/queries";
import { Failure, Loading } from "@/ui/States";
import { useTitle } from "@/ui/useTitle";
import { MessageFlow } from "./MessageFlow";
import { ThreadHeader } from "./ThreadHeader";
import classes from "./ThreadView.module.css";

export function ThreadView() {
  const { threadId } = useParams({ from: "/thread/$threadId" });
  const { message, from } = useSearch({ from: "/thread/$threadId" });
  const query = useInfiniteQuery(threadQuery(threadId));
  const thread = query.data?.pages.at(-1);
  useTitle(thread?.title);
  if (thread === undefined) {
    return query.error === null ? (
      <Loading what="the thread" lines={9} />
    ) : (
      <Failure error={query.error} onRetry={() => void query.refetch()} what="The thread" />
    );
  }
  return (
    <div className={classes.view}>
      <ThreadHeader thread={thread} from={from} />
      <MessageFlow
        key={threadId}
        messages={query.data?.pages.flatMap((page) => page.messages.items) ?? []}
        total={thread.message_count}
        focused={message}
        isLoadingMore={query.isFetchingNextPage}
        loadMore={query.hasNextPage ? () => void query.fetchNextPage() : undefined}
      />
    </div>
  );
}
