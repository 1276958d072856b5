import { CircleDashed, LoaderCircle } from "lucide-react";
import type { MessageView, SpecView, ThreadView } from "@/api/queries";
import { SpecCard } from "@/deciding/SpecCard";
import { counted } from "@/ui/format";
import { asMessage, type Pending, usePending } from "@/writing/pending";
import classes from "./FlowEnd.module.css";
import { MessageCard } from "./MessageCard";

const STAGES: Record<Pending["stage"], string> = {
  signing: "Waiting for your signature",
  sending: "On its way",
  retrying: "The node does not answer; trying again",
  final: "Committed",
};

interface Props {
  thread: ThreadView;
  openSpecs: readonly SpecView[];
  messages: readonly MessageView[];
}

/** After the last message: what one has just sent, and what waits for the co-authors' decision. */
export function FlowEnd({ thread, openSpecs, messages }: Props) {
  // What the node shows already is shown once.
  const pending = usePending(thread.thread_id).filter(({ hash }) => !isAmong(hash, messages, openSpecs));
  return (
    <>
      {pending.map((item, i) => (
        <div key={item.hash} className={classes.pending}>
          <MessageCard
            message={asMessage(item)}
            position={thread.message_count + i + 1}
            total={thread.message_count + pending.length}
            isFocused={false}
          />
          <p className={classes.stage} role="status">
            <LoaderCircle size={14} aria-hidden className={classes.turning} /> {STAGES[item.stage]}
            {item.kind === "spec" && " – a spec, for the co-authors to decide"}
          </p>
        </div>
      ))}
      {openSpecs.length > 0 && (
        <section className={classes.specs} aria-label="Open specs">
          <h2>
            <CircleDashed size={16} aria-hidden /> {counted(openSpecs.length, "spec")}{" "}
            {openSpecs.length === 1 ? "awaits" : "await"} a decision
          </h2>
          {openSpecs.map((spec) => (
            <SpecCard key={spec.spec_id} spec={spec} />
          ))}
        </section>
      )}
      <div className={classes.space} />
    </>
  );
}

function isAmong(hash: string, messages: readonly MessageView[], specs: readonly SpecView[]): boolean {
  return messages.some((message) => message.content_hash === hash) || specs.some((spec) => spec.spec_id === hash);
}
