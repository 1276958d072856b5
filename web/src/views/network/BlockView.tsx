import { Button } from "@mantine/core";
import { useQueries, useQuery } from "@tanstack/react-query";
import { Link, useParams } from "@tanstack/react-router";
import { ArrowLeft, ArrowRight } from "lucide-react";
import { useState } from "react";
import { type Block, blockQuery, networkQuery, transactionQuery } from "@/api/queries";
import { CopyText } from "@/ui/CopyText";
import { Facts } from "@/ui/Facts";
import { counted, formatCount, formatDateTime, shortHash } from "@/ui/format";
import { Page } from "@/ui/Page";
import { Person } from "@/ui/Person";
import { Failure, Loading } from "@/ui/States";
import { describeBody, targetOf } from "./describeBody";
import classes from "./NetworkView.module.css";

const SHOWN_AT_ONCE = 25;

/** One block: what its proposer signed, and what became of its transactions. */
export function BlockView() {
  const height = Number(useParams({ from: "/network/block/$height" }).height);
  const { data, error, refetch } = useQuery(blockQuery(height));
  return (
    <Page title={`Block ${formatCount(height)}`} actions={<Neighbours height={height} />}>
      {data === undefined ? (
        error === null ? (
          <Loading what="the block" />
        ) : (
          <Failure error={error} onRetry={() => void refetch()} what="The block" />
        )
      ) : (
        <>
          <Signed block={data} />
          <Transactions key={height} block={data} />
        </>
      )}
    </Page>
  );
}

function Neighbours({ height }: { height: number }) {
  const { data: network } = useQuery(networkQuery);
  return (
    <nav aria-label="Blocks" className={classes.neighbours}>
      {height > 1 && (
        <Link to="/network/block/$height" params={{ height: String(height - 1) }}>
          <ArrowLeft size={15} aria-hidden className="flips" /> {formatCount(height - 1)}
        </Link>
      )}
      <Link to="/network">Network</Link>
      {network !== undefined && height < network.height && (
        <Link to="/network/block/$height" params={{ height: String(height + 1) }}>
          {formatCount(height + 1)} <ArrowRight size={15} aria-hidden className="flips" />
        </Link>
      )}
    </nav>
  );
}

function Signed({ block: { header, signature } }: { block: Block }) {
  const hash = (name: string, value: string) =>
    [name, <CopyText key={name} text={value} shown={shortHash(value)} />] as const;
  return (
    <section className={classes.section} aria-label="What was signed">
      <Facts
        facts={[
          ["Committed", formatDateTime(header.time_ms)],
          ["Proposer", <Person key="p" address={header.proposer} />],
          hash("Block before", header.previous_hash),
          hash("Transactions", header.data_hash),
          hash("Results", header.results_hash),
          hash("State after it", header.app_hash),
          hash("Signature", signature),
        ]}
      />
    </section>
  );
}

function Transactions({ block: { receipts } }: { block: Block }) {
  const [most, setMost] = useState(SHOWN_AT_ONCE);
  const shown = receipts.slice(0, most);
  const found = useQueries({ queries: shown.map(({ tx_hash }) => transactionQuery(tx_hash)) });
  if (receipts.length === 0) {
    return <p className="quiet">No transactions: the block says that time has passed, and what was due by then.</p>;
  }
  return (
    <section className={classes.section}>
      <h2>{counted(receipts.length, "transaction")}</h2>
      <ol className={classes.transactions}>
        {shown.map((receipt, at) => {
          const transaction = found[at]?.data?.transaction;
          return (
            <li key={receipt.tx_hash}>
              <div className={classes.what}>
                {transaction == null ? (
                  <span>{found[at]?.isPending === true ? "…" : "Not on this node any more"}</span>
                ) : (
                  <>
                    <Person address={transaction.sender} size={18} /> <What body={transaction.body} />
                  </>
                )}
              </div>
              <div className={classes.became}>
                {receipt.code === 0 ? (
                  <span>took effect</span>
                ) : (
                  <span className={classes.refused} title={receipt.detail}>
                    refused: {receipt.name}
                  </span>
                )}
                <CopyText text={receipt.tx_hash} shown={shortHash(receipt.tx_hash)} />
              </div>
            </li>
          );
        })}
      </ol>
      {receipts.length > most && (
        <Button variant="default" fullWidth onClick={() => setMost(most + SHOWN_AT_ONCE)}>
          Show more
        </Button>
      )}
    </section>
  );
}

function What({ body }: { body: NonNullable<TransactionBody> }) {
  const target = targetOf(body);
  const words = describeBody(body);
  if (target === undefined) return <span>{words}</span>;
  return "threadId" in target ? (
    <Link to="/thread/$threadId" params={{ threadId: target.threadId }}>
      {words}
    </Link>
  ) : "specId" in target ? (
    <Link to="/spec/$specId" params={{ specId: target.specId }}>
      {words}
    </Link>
  ) : (
    <Link to="/message/$hash" params={{ hash: target.hash }}>
      {words}
    </Link>
  );
}

type TransactionBody = Parameters<typeof describeBody>[0];
