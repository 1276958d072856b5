import { HoverCard } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { PriorPreview } from "@/ui/PriorPreview";
import classes from "./PriorLink.module.css";

interface Props {
  hash: string;
  /** The message to come back to. */
  citing: string | undefined;
  /** A numbered mark, not words. */
  isMark?: boolean;
  children: ReactNode;
}

/** A prior inside a text: hovered or focused it shows its beginning, clicked it leads to its thread and back. */
export function PriorLink({ hash, citing, isMark = false, children }: Props) {
  return (
    <HoverCard width={380} shadow="md" openDelay={180} closeDelay={120} position="top" withinPortal>
      <HoverCard.Target>
        <Link
          to="/message/$hash"
          params={{ hash }}
          search={citing === undefined ? {} : { from: citing }}
          className={isMark ? classes.mark : classes.words}
          aria-label={isMark ? `Prior ${String(children)}` : undefined}
        >
          {children}
        </Link>
      </HoverCard.Target>
      <HoverCard.Dropdown className={classes.card}>
        <PriorPreview hash={hash} citing={citing} />
      </HoverCard.Dropdown>
    </HoverCard>
  );
}
