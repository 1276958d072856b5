import { Button } from "@mantine/core";
import { useVirtualizer } from "@tanstack/react-virtual";
import { ArrowDown } from "lucide-react";
import { type KeyboardEvent, type ReactNode, useEffect, useRef } from "react";
import type { MessageView } from "@/api/queries";
import { Loading } from "@/ui/States";
import { useReadMark } from "@/unread/store";
import { MessageCard } from "./MessageCard";
import classes from "./MessageFlow.module.css";
import { useEarlier } from "./useEarlier";
import { useFlowTarget } from "./useFlowTarget";

interface Props {
  messages: readonly MessageView[];
  /** How many of the thread stand before them. */
  before: number;
  /** How many there are in the thread. */
  total: number;
  /** The message to show, once it is loaded. */
  focused: string | undefined;
  isLoadingMore: boolean;
  /** Undefined when all are there. */
  loadMore: (() => void) | undefined;
  isLoadingEarlier: boolean;
  /** Undefined where the thread begins. */
  loadEarlier: (() => void) | undefined;
  goTo: (place: "end" | "beginning") => Promise<boolean>;
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
  const { messages, before, total, focused, isLoadingMore, loadMore, title, isCoAuthor, onCitations } = props;
  const { isLoadingEarlier, loadEarlier, goTo, newest, end } = props;
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
  const { isSeeking, goToEnd, goToBeginning } = useFlowTarget({
    virtualizer,
    scroller,
    count: messages.length,
    focused,
    focusedIndex,
    hasEnd: loadMore === undefined,
    hasBeginning: before === 0,
    goTo,
    newest,
  });
  useEarlier({ virtualizer, scroller, messages, isLoadingEarlier, loadEarlier });
  const isNearEnd = lastIndex >= messages.length - AHEAD;

  useEffect(() => {
    if (!isLoadingMore && isNearEnd && !isSeeking) loadMore?.();
  }, [isLoadingMore, isNearEnd, isSeeking, loadMore]);

  useReadMark(messages[0]?.thread_id, before + (virtualizer.range?.endIndex ?? -1) + 1);

  const onKeyDown = (event: KeyboardEvent): void => {
    const go = { End: goToEnd, Home: goToBeginning }[event.key];
    if (go === undefined || event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) return;
    if (event.target instanceof HTMLElement && event.target.closest("input, textarea, [contenteditable]")) return;
    event.preventDefault();
    go();
  };

  return (
    <div className={classes.frame}>
      {isLoadingEarlier && (
        <p className={classes.earlier} role="status">
          Loading earlier messages…
        </p>
      )}
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable */}
      <section ref={scroller} className={classes.scroller} tabIndex={0} aria-label="Messages" onKeyDown={onKeyDown}>
        <div
          className={classes.space}
          style={{ height: virtualizer.getTotalSize() }}
          role="feed"
          aria-busy={isLoadingMore || isLoadingEarlier}
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
                  position={before + index + 1}
                  total={total}
                  isFocused={index === focusedIndex}
                  title={before + index === 0 ? title : null}
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
      {total - before - lastIndex > FAR && (
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
