import { ActionIcon } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { X } from "lucide-react";
import { citationsQuery, type MessageView } from "@/api/queries";
import { formatShare } from "@/ui/format";
import { PriorPreview } from "@/ui/PriorPreview";
import { Failure, Loading } from "@/ui/States";
import classes from "./CitationsPanel.module.css";

interface Props {
  message: MessageView;
  onClose: () => void;
}

/** What a message cites and what cites it, beside the flow. */
export function CitationsPanel({ message, onClose }: Props) {
  const { data, error, refetch } = useQuery(citationsQuery(message.content_hash));
  return (
    <aside
      className={classes.panel}
      aria-label="Citations"
      onKeyDown={(event) => {
        if (event.key === "Escape") onClose();
      }}
    >
      <header className={classes.head}>
        <h2>Citations</h2>
        <ActionIcon variant="subtle" color="gray" aria-label="Close" onClick={onClose}>
          <X size={18} />
        </ActionIcon>
      </header>
      <Quantities message={message} />
      {error !== null && data === undefined && (
        <Failure error={error} onRetry={() => void refetch()} what="The citations" />
      )}
      {error === null && data === undefined && <Loading what="citations" />}
      {data !== undefined && (
        <>
          <List
            title="Builds on"
            none="It cites nothing."
            hashes={data.priors.map(nameOf)}
            citing={message.content_hash}
          />
          <List
            title="Cited by"
            none="Nothing cites it yet."
            hashes={data.cited_by.items.map(nameOf)}
            citing={undefined}
          />
        </>
      )}
    </aside>
  );
}

function nameOf({ message }: { message: MessageView }): string {
  return message.content_hash;
}

function Quantities({ message: { resonance, coherence, priors } }: { message: MessageView }) {
  if (priors.length === 0 || (resonance === null && coherence === null)) return null;
  return (
    <dl className={classes.quantities}>
      {resonance !== null && (
        <div title="How close the text is to what it cites">
          <dt>Resonance</dt>
          <dd>{formatShare(resonance)}</dd>
        </div>
      )}
      {coherence !== null && (
        <div title="How well what it cites fits together">
          <dt>Coherence</dt>
          <dd>{formatShare(coherence)}</dd>
        </div>
      )}
    </dl>
  );
}

interface ListProps {
  title: string;
  none: string;
  hashes: readonly string[];
  citing: string | undefined;
}

function List({ title, none, hashes, citing }: ListProps) {
  return (
    <section className={classes.list}>
      <h3>{title}</h3>
      {hashes.length === 0 && <p className="quiet">{none}</p>}
      <ul>
        {hashes.map((hash) => (
          <li key={hash}>
            <PriorPreview hash={hash} citing={citing} />
            <Link
              to="/message/$hash"
              params={{ hash }}
              search={citing === undefined ? {} : { from: citing }}
              className="link"
            >
              Open
            </Link>
          </li>
        ))}
      </ul>
    </section>
  );
}
