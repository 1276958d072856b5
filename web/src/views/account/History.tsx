import { Link } from "@tanstack/react-router";
import { Amount } from "@/ui/Amount";
import { Empty } from "@/ui/States";
import { Time } from "@/ui/Time";
import classes from "./AccountView.module.css";
import { type AccountEvent, describeEvent } from "./describeEvent";

/** What happened to an account, newest first. */
export function History({ address, events }: { address: string; events: readonly AccountEvent[] }) {
  return (
    <section>
      <h2 className={classes.heading}>History</h2>
      {events.length === 0 ? (
        <Empty title="Nothing has happened yet">
          <p>Whatever this account writes, decides, receives or pays is listed here.</p>
        </Empty>
      ) : (
        <ol className={classes.rows}>
          {events.map((event) => (
            <Row key={event.seq} event={event} address={address} />
          ))}
        </ol>
      )}
    </section>
  );
}

function Row({ event, address }: { event: AccountEvent; address: string }) {
  const { words, change } = describeEvent(event, address);
  const target = event.content_hash ?? event.spec_id;
  return (
    <li>
      <span className={classes.what}>
        {typeof target === "string" ? (
          <Link to="/message/$hash" params={{ hash: target }}>
            {words}
          </Link>
        ) : typeof event.thread_id === "string" ? (
          <Link to="/thread/$threadId" params={{ threadId: event.thread_id }}>
            {words}
          </Link>
        ) : (
          words
        )}
      </span>
      {change !== undefined && (
        <span className={change > 0n ? classes.in : undefined}>
          {change > 0n ? "+" : "−"}
          <Amount uchoir={change > 0n ? change : -change} />
        </span>
      )}
      <span className={classes.when}>
        <Time ms={event.time_ms} />
      </span>
    </li>
  );
}
