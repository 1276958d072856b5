import { Tooltip } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import { AudioLines, CornerUpLeft, Search } from "lucide-react";
import type { ThreadView } from "@/api/queries";
import { titleOf } from "@/lib/excerpt";
import { Amount } from "@/ui/Amount";
import { counted } from "@/ui/format";
import { People } from "@/ui/Person";
import { PrivacyBadge } from "@/ui/PrivacyBadge";
import classes from "./ThreadHeader.module.css";

export function ThreadHeader({ thread, from }: { thread: ThreadView; from: string | undefined }) {
  return (
    <header className={classes.header}>
      {from !== undefined && (
        <Link to="/message/$hash" params={{ hash: from }} className={classes.back}>
          <CornerUpLeft size={15} aria-hidden /> Back to where it is cited
        </Link>
      )}
      <h1 className={classes.title} dir="auto">
        {titleOf(thread)}
      </h1>
      <div className={classes.facts}>
        <People addresses={thread.co_authors} />
        <span>{counted(thread.co_authors.length, "co-author")}</span>
        <span>{counted(thread.message_count, "message")}</span>
        <Tooltip label="What the thread owns. Its co-authors share it.">
          <span>
            <Amount uchoir={thread.balance} />
          </span>
        </Tooltip>
        <PrivacyBadge level={thread.privacy} />
        <Link to="/search" search={{ thread: thread.thread_id }} className={classes.search}>
          <Search size={14} aria-hidden /> Search here
        </Link>
        <Link to="/runs" search={{ thread: thread.thread_id }} className={classes.search}>
          <AudioLines size={14} aria-hidden /> Ask about it
        </Link>
      </div>
    </header>
  );
}
