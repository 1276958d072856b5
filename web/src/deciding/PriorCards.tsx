import { Link } from "@tanstack/react-router";
import { PriorPreview } from "@/ui/PriorPreview";
import classes from "./Deciding.module.css";

/** What a text cites, each with its beginning. */
export function PriorCards({ priors, citing }: { priors: readonly string[]; citing: string }) {
  if (priors.length === 0) return null;
  return (
    <section className={classes.priors} aria-label="Priors">
      <h3>Builds on</h3>
      <ol>
        {priors.map((hash, i) => (
          <li key={hash}>
            <PriorPreview hash={hash} citing={citing} />
            <Link to="/message/$hash" params={{ hash }} search={{ from: citing }} className={classes.open}>
              Open prior {i + 1}
            </Link>
          </li>
        ))}
      </ol>
    </section>
  );
}
