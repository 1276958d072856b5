import { UnstyledButton } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { X } from "lucide-react";
import { messageQuery } from "@/api/queries";
import { beginningOfMessage } from "@/lib/excerpt";
import { shortHash } from "@/ui/format";
import classes from "./Composer.module.css";

/** What a draft cites, by number. */
export function ChosenPriors({ priors, onRemove }: { priors: readonly string[]; onRemove: (hash: string) => void }) {
  if (priors.length === 0) return null;
  return (
    <ol className={classes.priors} aria-label="Cited">
      {priors.map((hash, i) => (
        <Chosen key={hash} hash={hash} number={i + 1} onRemove={() => onRemove(hash)} />
      ))}
    </ol>
  );
}

function Chosen({ hash, number, onRemove }: { hash: string; number: number; onRemove: () => void }) {
  const { data } = useQuery(messageQuery(hash));
  return (
    <li className={classes.prior}>
      <b>{number}</b>
      <span dir="auto">{beginningOfMessage(data, 70) || shortHash(hash)}</span>
      <UnstyledButton className={classes.remove} onClick={onRemove} aria-label={`Do not cite ${number}`}>
        <X size={14} aria-hidden />
      </UnstyledButton>
    </li>
  );
}
