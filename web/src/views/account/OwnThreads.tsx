import { Button } from "@mantine/core";
import { useState } from "react";
import type { AccountView } from "@/api/queries";
import { ThreadName } from "@/deciding/ThreadName";
import { type Account, useAccount } from "@/keys/account";
import { Amount } from "@/ui/Amount";
import { Time } from "@/ui/Time";
import classes from "./AccountView.module.css";
import { DivestDialog } from "./DivestDialog";

type OwnThread = AccountView["threads"][number];

/** The threads of an account with what they own; of one's own, what one may take and when. */
export function OwnThreads({ view }: { view: AccountView }) {
  const account = useAccount();
  const own = account?.address === view.address ? account : undefined;
  if (view.threads.length === 0) return null;
  return (
    <section>
      <h2 className={classes.heading}>Threads</h2>
      <ul className={classes.rows}>
        {view.threads.map((thread) => (
          <Row key={thread.thread_id} thread={thread} own={own} />
        ))}
      </ul>
    </section>
  );
}

function Row({ thread, own }: { thread: OwnThread; own: Account | undefined }) {
  const [isOpen, setOpen] = useState(false);
  const share = BigInt(thread.share);
  const isReady = thread.divest_ready_at_ms <= Date.now();
  return (
    <li>
      <span className={classes.what}>
        <ThreadName threadId={thread.thread_id} />
      </span>
      <span className={classes.when}>
        owns <Amount uchoir={thread.balance} />
      </span>
      {own !== undefined && share > 0n && isReady && (
        <Button size="compact-sm" variant="light" onClick={() => setOpen(true)}>
          Take up to <Amount uchoir={share} />
        </Button>
      )}
      {own !== undefined && share > 0n && !isReady && (
        <span className={classes.when}>
          up to <Amount uchoir={share} /> can be taken <Time ms={thread.divest_ready_at_ms} />
        </span>
      )}
      {isOpen && own !== undefined && (
        <DivestDialog account={own} threadId={thread.thread_id} share={share} onClose={() => setOpen(false)} />
      )}
    </li>
  );
}
