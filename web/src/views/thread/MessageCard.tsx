import { memo } from "react";
import type { MessageView } from "@/api/queries";
import { withoutTitle } from "@/lib/excerpt";
import { Markdown } from "@/markdown/Markdown";
import { Avatar } from "@/ui/Avatar";
import { Encrypted } from "@/ui/Encrypted";
import { formatCount } from "@/ui/format";
import { Person } from "@/ui/Person";
import { PrivacyBadge } from "@/ui/PrivacyBadge";
import { Time } from "@/ui/Time";
import classes from "./MessageCard.module.css";
import { MessageMenu } from "./MessageMenu";
import { PriorChips } from "./PriorChips";

interface Props {
  message: MessageView;
  position: number;
  total: number;
  isFocused: boolean;
  /** The thread's title, for its opening message. */
  title?: string | null;
  isCoAuthor?: boolean;
  /** Undefined where there is nothing to do with the message yet. */
  onCitations?: (message: MessageView) => void;
}

export const MessageCard = memo(function MessageCard(props: Props) {
  const { message, position, total, isFocused, title = null, isCoAuthor = false, onCitations } = props;
  return (
    <article
      className={classes.card}
      data-focused={isFocused || undefined}
      aria-posinset={position}
      aria-setsize={total}
      aria-label={`Message ${position}`}
    >
      <div className={classes.sign}>
        <Avatar address={message.author} size={30} />
      </div>
      <div className={classes.body}>
        <header className={classes.head}>
          <Person address={message.author} sign={false} />
          <span className={classes.meta}>
            <Time ms={message.created_at_ms} />
            {message.kind === "spec" && (
              <span title="Came as a spec with a stake, and every co-author approved it">approved spec</span>
            )}
            <PrivacyBadge level={message.privacy} quiet />
          </span>
          {onCitations !== undefined && (
            <MessageMenu message={message} isCoAuthor={isCoAuthor} onCitations={() => onCitations(message)} />
          )}
        </header>
        <MessageText message={message} title={title} />
        {message.priors.length > 0 && <PriorChips message={message} />}
      </div>
    </article>
  );
});

function MessageText({ message, title }: { message: MessageView; title: string | null }) {
  if (message.is_erased)
    return <p className={classes.gone}>Its author has erased this message. Its hash stays on the ledger.</p>;
  if (message.privacy === "encrypted") return <Encrypted text={message.text} />;
  if (message.text !== null)
    return <Markdown text={withoutTitle(message.text, title)} priors={message.priors} citing={message.content_hash} />;
  if (message.access === "limited") {
    return (
      <p className={classes.gone} dir="auto">
        {message.summary ?? "A message for premium members."} <em>Premium members and co-authors read the rest.</em>
      </p>
    );
  }
  if (message.access === "minimal") {
    return (
      <p className={classes.gone}>
        Only the co-authors read this message of at most {formatCount(message.at_most_characters ?? 0)} characters.
      </p>
    );
  }
  return <p className={classes.gone}>The text is not on this node, or not for you to read.</p>;
}
