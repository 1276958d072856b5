import { useQuery } from "@tanstack/react-query";
import { Quote } from "lucide-react";
import { citationsQuery, type MessageView } from "@/api/queries";
import { beginningOfMessage } from "@/lib/excerpt";
import { PriorLink } from "@/markdown/PriorLink";
import { formatShare, shortHash } from "@/ui/format";
import classes from "./PriorChips.module.css";

/** What a message cites, with how close each is. */
export function PriorChips({ message }: { message: MessageView }) {
  const { data } = useQuery({ ...citationsQuery(message.content_hash), enabled: message.status !== "pending" });
  const found = new Map(data?.priors.map((prior) => [prior.message.content_hash, prior]));
  return (
    <ul className={classes.chips} aria-label="Priors">
      {message.priors.map((hash) => {
        const prior = found.get(hash);
        const words = beginningOfMessage(prior?.message, 64);
        return (
          <li key={hash} className={classes.chip}>
            <Quote size={12} aria-hidden />
            <PriorLink hash={hash} citing={message.content_hash}>
              <span dir="auto">{words === "" ? shortHash(hash) : words}</span>
            </PriorLink>
            {prior?.resonance != null && <span className={classes.share}>{formatShare(prior.resonance)}</span>}
          </li>
        );
      })}
    </ul>
  );
}
