import { Button } from "@mantine/core";
import { useVirtualizer } from "@tanstack/react-virtual";
import { ArrowDown } from "lucide-react";
import { type ReactNode, useEffect, useRef } from "react";
import type { MessageView } from "@/api/queries";
import { Loading } from "@/ui/States";
import { useReadMark } from "@/unread/store";
import { MessageCard } from "./MessageCard";
import classes from "./MessageFlow.module.css";
import { useFlowTarget } from "./useFlowTarget";

interface Props {
  messages: readonly MessageView[];
  /** How many there are in the thread; `messages` are the first of them. */
  total: number;
  /** The message to show, once it is loaded. */
  focused: string | undefined;
  isLoadingMore: boolean;
  /** Undefined when all are there. */
  loadMore: (() => void) | undefined;
  /** The thread's, which its opening message repeats. */
  title: string | null;
  isCoAuthor: boolean;
  onCitations: (message: MessageView) => void;
  /** What one has just sent: the flow goes to its end to show it. */
  newest: string | undefined;
  /** What stands after the last message. */
  end: ReactNode;
}

const ESTIMATED_PX = 180;
const AHEAD = 6;
const FAR = 12;

/** The messages of a thread, oldest first. Only those near the window are in the page, however many there are. */
export function MessageFlow(props: Props) {
  const { messages, total, focused, isLoadingMore, loadMore, title, isCoAuthor, onCitations, newest, end } = props;
  const scroller = useRef<HTMLDivElement>(null);
  const virtualizer = useVirtualizer({
    count: messages.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => ESTIMATED_PX,
    getItemKey: (index) => messages[index]?.content_hash ?? index,
    overscan: AHEAD,
  });
  const items = virtualizer.getVirtualItems();
  const lastIndex = items.at(-1)?.index ?? 0;
  const focusedIndex = focused === undefined ? -1 : messages.findIndex((message) => message.content_hash === focused);
  const { isSeeking, goToEnd } = useFlowTarget({
    virtualizer,
    scroller,
    count: messages.length,
    focusedIndex,
    isSought: focused !== undefined && focusedIndex < 0,
    isComplete: loadMore === undefined,
    newest,
  });
  const isNearEnd = lastIndex >= messages.length - AHEAD;

  useEffect(() => {
    if (!isLoadingMore && (isNearEnd || isSeeking)) loadMore?.();
  }, [isLoadingMore, isNearEnd, isSeeking, loadMore]);

  useReadMark(messages[0]?.thread_id, (virtualizer.range?.endIndex ?? -1) + 1);

  return (
    <div className={classes.frame}>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable */}
      <section ref={scroller} className={classes.scroller} tabIndex={0} aria-label="Messages">
        <div
          className={classes.space}
          style={{ height: virtualizer.getTotalSize() }}
          role="feed"
          aria-busy={isLoadingMore}
        >
          {items.map(({ key, index, start }) => {
            const message = messages[index];
            if (message === undefined) return null;
            return (
              <div
                key={key}
                ref={virtualizer.measureElement}
                data-index={index}
                className={classes.item}
                style={{ transform: `translateY(${start}px)` }}
              >
                <MessageCard
                  message={message}
                  position={index + 1}
                  total={total}
                  isFocused={index === focusedIndex}
                  title={index === 0 ? title : null}
                  isCoAuthor={isCoAuthor}
                  onCitations={onCitations}
                />
              </div>
            );
          })}
        </div>
        {isLoadingMore && <Loading lines={3} what="more messages" />}
        {end}
      </section>
      {total - lastIndex > FAR && (
        <Button
          className={classes.jump ?? ""}
          size="xs"
          radius="xl"
          variant="default"
          loading={isSeeking}
          leftSection={<ArrowDown size={15} />}
          onClick={goToEnd}
        >
          Latest
        </Button>
      )}
    </div>
  );
}
