import { useParams, useSearch } from "@tanstack/react-router";
import { useEffect, useState } from "react";
import { type MessageView, refreshThreadEnd } from "@/api/queries";
import { useAccount } from "@/keys/account";
import { useFollowThread } from "@/live/follow";
import { Failure, Loading } from "@/ui/States";
import { useTitle } from "@/ui/useTitle";
import { Composer } from "@/writing/Composer";
import { usePending } from "@/writing/pending";
import { CitationsPanel } from "./CitationsPanel";
import { FlowEnd } from "./FlowEnd";
import { MessageFlow } from "./MessageFlow";
import { ThreadHeader } from "./ThreadHeader";
import classes from "./ThreadView.module.css";
import { useThreadPart } from "./useThreadPart";

export function ThreadView() {
  const { threadId } = useParams({ from: "/thread/$threadId" });
  const { message, from } = useSearch({ from: "/thread/$threadId" });
  const part = useThreadPart(threadId, message);
  const { query, messages } = part;
  const account = useAccount();
  const [cited, setCited] = useState<MessageView>();
  useFollowThread(threadId);
  const pending = usePending(threadId);
  // The last page was read last: what it says of the thread is the newest.
  const thread = part.pages.at(-1);
  useTitle(thread?.title);
  useEffect(() => {
    // What was read before is there at once; what has come since is read now. Without the node the old stays.
    void refreshThreadEnd(threadId).catch(() => undefined);
  }, [threadId]);
  if (thread === undefined) {
    return query.error === null ? (
      <Loading what="the thread" lines={9} />
    ) : (
      <Failure error={query.error} onRetry={() => void query.refetch()} what="The thread" />
    );
  }
  const isCoAuthor = account !== undefined && thread.co_authors.includes(account.address);
  return (
    <div className={classes.columns}>
      <div className={classes.view}>
        <ThreadHeader thread={thread} from={from} />
        <MessageFlow
          key={threadId}
          messages={messages}
          before={part.before}
          total={thread.message_count}
          title={thread.title}
          isCoAuthor={isCoAuthor}
          onCitations={setCited}
          focused={message}
          isLoadingMore={query.isFetchingNextPage}
          loadMore={query.hasNextPage ? () => void query.fetchNextPage() : undefined}
          isLoadingEarlier={part.isLoadingEarlier}
          loadEarlier={part.loadEarlier}
          goTo={part.goTo}
          newest={pending.at(-1)?.hash}
          end={query.hasNextPage ? null : <FlowEnd thread={thread} openSpecs={thread.open_specs} messages={messages} />}
        />
        <Composer thread={thread} />
      </div>
      {cited !== undefined && cited.thread_id === threadId && (
        <CitationsPanel key={cited.content_hash} message={cited} onClose={() => setCited(undefined)} />
      )}
    </div>
  );
}
