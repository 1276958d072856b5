import { useQueries, useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { blockQuery, type NetworkView as Network, networkQuery } from "@/api/queries";
import { Amount } from "@/ui/Amount";
import { CopyText } from "@/ui/CopyText";
import { Facts } from "@/ui/Facts";
import { counted, formatCount, shortHash } from "@/ui/format";
import { Page } from "@/ui/Page";
import { Failure, Loading } from "@/ui/States";
import { Time } from "@/ui/Time";
import { Coherence } from "./Coherence";
import classes from "./NetworkView.module.css";
import { Validators } from "./Validators";

const REFRESH_MS = 5000;
const BLOCKS_SHOWN = 12;
const DAY_S = 86_400;

export function NetworkView() {
  const { data, error, refetch } = useQuery({ ...networkQuery, refetchInterval: REFRESH_MS });
  return (
    <Page title="Network">
      {data === undefined ? (
        error === null ? (
          <Loading what="the network" />
        ) : (
          <Failure error={error} onRetry={() => void refetch()} what="The network" />
        )
      ) : (
        <>
          <Head network={data} />
          <Coherence network={data} />
          <Blocks height={data.height} />
          <Tokens network={data} />
          <Rules network={data} />
        </>
      )}
    </Page>
  );
}

function Head({ network }: { network: Network }) {
  return (
    <section className={classes.section} aria-label="Head of the chain">
      <p className={classes.lead}>
        Block <strong className="number">{formatCount(network.height)}</strong>, committed <Time ms={network.time_ms} />
        {network.is_paused && <strong className={classes.paused}> – paused by the council</strong>}
      </p>
      <Facts
        facts={[
          ["Chain", network.is_development ? `${network.chain_id} (development)` : network.chain_id],
          ["Genesis", <CopyText key="g" text={network.genesis_hash} shown={shortHash(network.genesis_hash)} />],
          ["State", <CopyText key="a" text={network.app_hash} shown={shortHash(network.app_hash)} />],
          ["Ordered by", network.engine === "embedded" ? "this node alone" : network.engine],
          ["This node", `${network.node}, version ${network.version}`],
        ]}
      />
      <Validators network={network} />
    </section>
  );
}

function Blocks({ height }: { height: number }) {
  const heights = Array.from({ length: Math.min(BLOCKS_SHOWN, height) }, (_, i) => height - i);
  const blocks = useQueries({ queries: heights.map((at) => blockQuery(at)) });
  return (
    <section className={classes.section}>
      <h2>Recent blocks</h2>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable */}
      <section className={classes.scroll} tabIndex={0} aria-label="Recent blocks">
        <table className={classes.table}>
          <thead>
            <tr>
              <th scope="col">Height</th>
              <th scope="col">When</th>
              <th scope="col">Transactions</th>
              <th scope="col" className={classes.wide}>
                State after it
              </th>
            </tr>
          </thead>
          <tbody>
            {blocks.map(({ data }, i) => (
              <tr key={heights[i]}>
                <td className="number">
                  <Link to="/network/block/$height" params={{ height: String(heights[i]) }}>
                    {formatCount(heights[i] ?? 0)}
                  </Link>
                </td>
                <td>{data === undefined ? "…" : <Time ms={data.header.time_ms} />}</td>
                <td>{data === undefined ? "…" : describe(data.receipts)}</td>
                <td className={`${classes.hash} ${classes.wide}`}>
                  {data === undefined ? "…" : shortHash(data.header.app_hash)}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </section>
    </section>
  );
}

function describe(receipts: readonly { code: number }[]): string {
  const refused = receipts.filter((receipt) => receipt.code !== 0).length;
  const all = formatCount(receipts.length);
  return refused === 0 ? all : `${all}, of them ${formatCount(refused)} refused`;
}

/** Rewards come out of pools at the end of an epoch; who was paid what stands in the history of who was paid. */
function Tokens({ network: { treasury, epoch } }: { network: Network }) {
  return (
    <section className={classes.section}>
      <h2>Rewards and treasury</h2>
      <p className={classes.note}>
        Epoch {formatCount(epoch.number)} began <Time ms={epoch.started_at_ms} />. When it ends, authors of approved
        specs and threads that were cited are rewarded from the pools, as far as sponsorship allows. No token is ever
        made.
      </p>
      <Facts
        facts={[
          ["Treasury", <Amount key="t" uchoir={treasury.balance} />],
          ["Pool for new messages", <Amount key="n" uchoir={treasury.new_message_pool} />],
          ["Pool for cited threads", <Amount key="p" uchoir={treasury.prior_pool} />],
        ]}
      />
    </section>
  );
}

function Rules({ network: { params } }: { network: Network }) {
  return (
    <section className={classes.section}>
      <h2>Rules in force</h2>
      <Facts
        facts={[
          ["Least stake of a spec", <Amount key="s" uchoir={String(params.minimum_stake)} />],
          ["Time to vote on a spec", counted(params.spec_window_seconds / DAY_S, "day")],
          ["Between two divestments", counted(params.divest_cooldown_seconds / DAY_S, "day")],
          ["Always left in a thread", <Amount key="m" uchoir={String(params.minimum_thread_balance)} />],
          ["Co-authors and open specs of a thread", `at most ${formatCount(params.co_author_limit)}`],
          ["Priors of a message", `at most ${formatCount(params.prior_limit)}`],
          ["Premium", <Amount key="pp" uchoir={String(params.premium_price)} />],
        ]}
      />
    </section>
  );
}
