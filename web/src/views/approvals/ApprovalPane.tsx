import { Button, SegmentedControl } from "@mantine/core";
import { useInfiniteQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { Gavel, Inbox, Send } from "lucide-react";
import { useState } from "react";
import { type SpecFilter, type SpecView, specsQuery } from "@/api/queries";
import { awaits } from "@/deciding/record";
import { SpecCard } from "@/deciding/SpecCard";
import { ThreadName } from "@/deciding/ThreadName";
import { useAccount } from "@/keys/account";
import { Page } from "@/ui/Page";
import { Empty, Failure, Loading } from "@/ui/States";
import classes from "./ApprovalPane.module.css";

type Tab = "awaiting" | "voted" | "submitted";

/** What awaits one's vote, with everything one decides by; what one has decided, and what one has submitted. */
export function ApprovalPane() {
  const address = useAccount()?.address;
  const [tab, setTab] = useState<Tab>("awaiting");
  if (address === undefined) {
    return (
      <Page title="Decisions">
        <Empty icon={<Gavel />} title="Co-authors decide what joins their threads">
          <p>When somebody submits a spec to a thread of yours, it waits here for your vote.</p>
          <Button component={Link} to="/join">
            Join
          </Button>
        </Empty>
      </Page>
    );
  }
  return (
    <Page
      title="Decisions"
      actions={
        <SegmentedControl
          size="xs"
          aria-label="Which specs"
          value={tab}
          onChange={(value) => setTab(value as Tab)}
          data={[
            { value: "awaiting", label: "Await you" },
            { value: "voted", label: "Decided" },
            { value: "submitted", label: "Yours" },
          ]}
        />
      }
    >
      <Specs key={tab} tab={tab} address={address} />
    </Page>
  );
}

function Specs({ tab, address }: { tab: Tab; address: string }) {
  const query = useInfiniteQuery(specsQuery(filterOf(tab, address)));
  if (query.data === undefined) {
    return query.error === null ? (
      <Loading what="the specs" lines={8} />
    ) : (
      <Failure error={query.error} onRetry={() => void query.refetch()} what="The specs" />
    );
  }
  const specs = query.data.pages.flatMap((page) => page.items).filter((spec) => belongs(spec, tab, address));
  if (specs.length === 0 && !query.hasNextPage) return <Nothing tab={tab} />;
  return (
    <>
      <ul className={classes.list}>
        {specs.map((spec) => (
          <li key={spec.spec_id}>
            <p className={classes.thread}>
              For <ThreadName threadId={spec.thread_id} />
            </p>
            <SpecCard spec={spec} isFull />
          </li>
        ))}
      </ul>
      {query.hasNextPage && (
        <Button
          variant="default"
          fullWidth
          loading={query.isFetchingNextPage}
          onClick={() => void query.fetchNextPage()}
        >
          Show more
        </Button>
      )}
    </>
  );
}

function filterOf(tab: Tab, address: string): SpecFilter {
  if (tab === "submitted") return { author: address };
  return tab === "awaiting" ? { voter: address, status: "open" } : { voter: address };
}

function belongs(spec: SpecView, tab: Tab, address: string): boolean {
  if (tab === "submitted") return true;
  return tab === "awaiting" ? awaits(spec, address) : !awaits(spec, address);
}

function Nothing({ tab }: { tab: Tab }) {
  if (tab === "submitted") {
    return (
      <Empty icon={<Send />} title="You have submitted no spec yet">
        <p>
          Open a thread of somebody else's and propose a message to it. With a stake you ask its co-authors to read it.
        </p>
        <Button component={Link} to="/threads" variant="default">
          Find a thread
        </Button>
      </Empty>
    );
  }
  return (
    <Empty icon={<Inbox />} title={tab === "awaiting" ? "Nothing awaits your vote" : "You have decided nothing yet"}>
      <p>Specs that others submit to your threads come here.</p>
    </Empty>
  );
}
