import { useQuery } from "@tanstack/react-query";
import { type ReactNode, useState } from "react";
import type { NetworkView as Network } from "@/api/queries";
import { counted, formatCount } from "@/ui/format";
import { Failure, Loading } from "@/ui/States";
import { Time } from "@/ui/Time";
import classes from "./Coherence.module.css";
import { CoherenceChart } from "./CoherenceChart";
import { lowestPsi } from "./chart";
import { describeChecked, describeProblems, formatMillionths } from "./measured";
import network from "./NetworkView.module.css";
import { type Epoch, epochsQuery } from "./queries";

const SHOWN_AT_FIRST = 6;

/** How far the memory agrees with the ledger: now, over the last epochs, and what was looked at for it. */
export function Coherence({ network: { measured_epoch } }: { network: Network }) {
  const { data, error, refetch } = useQuery(epochsQuery(measured_epoch));
  const newest = data?.items[0];
  return (
    <section className={network.section}>
      <h2>Coherence</h2>
      {data === undefined ? (
        error === null ? (
          <Loading what="the epochs" />
        ) : (
          <Failure error={error} onRetry={() => void refetch()} what="Coherence" />
        )
      ) : newest === undefined ? (
        <p className={network.note}>
          Nothing was measured yet. An epoch lasts 60 seconds, and the first block after it measures it: the node looks
          at a sample of its memory and compares it with the ledger. Blocks are made when somebody writes.
        </p>
      ) : (
        <>
          <Outcome epoch={newest} />
          <Quantities epoch={newest} />
          <CoherenceChart epochs={data.items} />
          <Epochs epochs={data.items} />
        </>
      )}
    </section>
  );
}

function Outcome({ epoch }: { epoch: Epoch }) {
  const problems = describeProblems(epoch);
  return (
    <div className={network.note}>
      <p>
        Epoch {formatCount(epoch.number)}, measured <Time ms={epoch.measured_at_ms} />:{" "}
        {problems.length === 0 ? (
          <>all that was looked at is as the ledger says ({describeChecked(epoch)}).</>
        ) : (
          <strong className={classes.wrong}>the memory is not as the ledger says.</strong>
        )}
      </p>
      {problems.length > 0 && (
        <>
          <ul className={classes.problems}>
            {problems.map((problem) => (
              <li key={problem}>{problem}</li>
            ))}
          </ul>
          <p>
            Only samples are looked at. Whoever runs the node should stop it and run <code>choir doctor</code>, which
            looks at everything.
          </p>
        </>
      )}
    </div>
  );
}

function Quantities({ epoch }: { epoch: Epoch }) {
  const psi = lowestPsi(epoch);
  return (
    <dl className={classes.quantities}>
      <Quantity name="Coherence" symbol="Ĉ" millionths={epoch.coherence_millionths}>
        How far what the memory holds and finds agrees with the ledger. All of it is 1.
      </Quantity>
      <Quantity name="Attunement" symbol="λ" millionths={epoch.attunement_millionths}>
        How relaxed the network may be. It falls fast and rises slowly; nothing depends on it yet.
      </Quantity>
      {psi !== undefined && (
        <Quantity name={epoch.validators.length === 1 ? "Score" : "Lowest score"} symbol="Ψ" millionths={psi}>
          How steady, present and in agreement {epoch.validators.length === 1 ? "the validator" : "a validator"} has
          been over the last epochs.
        </Quantity>
      )}
    </dl>
  );
}

function Quantity(props: { name: string; symbol: string; millionths: number; children: ReactNode }) {
  return (
    <div>
      <dt>
        {props.name} <span className={classes.symbol}>{props.symbol}</span>
      </dt>
      <dd>
        <strong className="number">{formatMillionths(props.millionths)}</strong>
        <span>{props.children}</span>
      </dd>
    </div>
  );
}

/** The numbers of the chart, and what they come from. */
function Epochs({ epochs }: { epochs: readonly Epoch[] }) {
  const [isLong, setIsLong] = useState(false);
  const shown = isLong ? epochs : epochs.slice(0, SHOWN_AT_FIRST);
  return (
    <>
      <table className={network.table} aria-label="Measured epochs">
        <thead>
          <tr>
            <th scope="col">Epoch</th>
            <th scope="col" className={network.wide}>
              Measured
            </th>
            <th scope="col">Ĉ</th>
            <th scope="col">λ</th>
            <th scope="col">Ψ</th>
            <th scope="col">Wrong</th>
          </tr>
        </thead>
        <tbody>
          {shown.map((epoch) => (
            <tr key={epoch.number}>
              <td className="number">{formatCount(epoch.number)}</td>
              <td className={network.wide}>
                <Time ms={epoch.measured_at_ms} />
              </td>
              <td className="number">{formatMillionths(epoch.coherence_millionths)}</td>
              <td className="number">{formatMillionths(epoch.attunement_millionths)}</td>
              <td className="number">{formatMillionths(lowestPsi(epoch) ?? 0)}</td>
              <td className={network.words}>{describeProblems(epoch).join(", ") || "nothing"}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {epochs.length > SHOWN_AT_FIRST && (
        <button type="button" className={classes.more} onClick={() => setIsLong(!isLong)} aria-expanded={isLong}>
          {isLong ? "Show fewer" : `Show ${counted(epochs.length - SHOWN_AT_FIRST, "more epoch")}`}
        </button>
      )}
    </>
  );
}
