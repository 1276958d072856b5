import { NumberInput, Slider } from "@mantine/core";
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { useEffect } from "react";
import { accountQuery, networkQuery, type ThreadView } from "@/api/queries";
import type { Account } from "@/keys/account";
import { choirText, formatChoir, UCHOIR_PER_CHOIR } from "@/lib/amounts";
import { FaucetButton } from "@/ui/FaucetButton";
import { counted } from "@/ui/format";
import type { Draft } from "./drafts";
import classes from "./StakePanel.module.css";

interface Props {
  account: Account;
  thread: ThreadView;
  draft: Draft;
  onChange: (change: Partial<Draft>) => void;
}

const SLIDER_TIMES = 10n;
const DAY_S = 86_400;

/** The stake of a spec: how much, and everything that can happen to it. */
export function StakePanel({ account, thread, draft, onChange }: Props) {
  const network = useQuery(networkQuery).data;
  const own = useInfiniteQuery(accountQuery(account.address)).data?.pages[0];
  const least = network && BigInt(network.params.minimum_stake);
  const balance = own && BigInt(own.balance);
  const canPay = least !== undefined && balance !== undefined && balance >= least;
  const stake = draft.stake === undefined ? undefined : BigInt(draft.stake);
  const isValid = canPay && stake !== undefined && stake >= least && stake <= balance;

  useEffect(() => {
    if (canPay && !isValid) onChange({ stake: String(stake !== undefined && stake > balance ? balance : least) });
    if (balance !== undefined && !canPay && stake !== undefined) onChange({ stake: undefined });
  }, [canPay, isValid, balance, least, stake, onChange]);

  if (network === undefined || least === undefined || balance === undefined) return null;
  if (!canPay) {
    return (
      <div className={classes.poor}>
        <p>
          A spec needs a stake of at least {formatChoir(least)} CHOIR; you have {formatChoir(balance)}.
        </p>
        {network.is_development && <FaucetButton address={account.address} />}
      </div>
    );
  }
  const most = balance < least * SLIDER_TIMES ? balance : least * SLIDER_TIMES;
  const shown = stake ?? least;
  const set = (uchoir: bigint): void => onChange({ stake: String(uchoir) });
  return (
    <fieldset className={classes.panel}>
      <legend className="visually-hidden">Stake</legend>
      <div className={classes.amount}>
        <span className={classes.label} aria-hidden>
          Stake
        </span>
        <Slider
          className={classes.slider ?? ""}
          thumbLabel="Stake in CHOIR"
          label={(value) => `${formatChoir(BigInt(value) * UCHOIR_PER_CHOIR)} CHOIR`}
          min={Number(least / UCHOIR_PER_CHOIR)}
          max={Math.max(Number(most / UCHOIR_PER_CHOIR), Number(least / UCHOIR_PER_CHOIR) + 1)}
          step={10}
          value={Number(shown / UCHOIR_PER_CHOIR)}
          onChange={(value) => set(clamp(BigInt(value) * UCHOIR_PER_CHOIR, least, balance))}
        />
        <NumberInput
          size="xs"
          w={130}
          aria-label="Stake in CHOIR, exactly"
          suffix=" CHOIR"
          min={Number(choirText(least))}
          max={Number(choirText(balance))}
          decimalScale={6}
          hideControls
          value={choirText(shown)}
          onChange={(value) => typeof value === "number" && set(BigInt(Math.round(value * 1e6)))}
        />
      </div>
      <Outcomes stake={shown} voters={thread.co_authors.length} days={network.params.spec_window_seconds / DAY_S} />
    </fieldset>
  );
}

function Outcomes({ stake, voters, days }: { stake: bigint; voters: number; days: number }) {
  const whole = `${formatChoir(stake)} CHOIR`;
  const share = `${formatChoir(stake / BigInt(voters))} CHOIR`;
  return (
    <dl className={classes.outcomes}>
      <div data-good>
        <dt>{voters === 1 ? "The co-author approves" : `All ${counted(voters, "co-author")} approve`}</dt>
        <dd>Your text joins, and so do you. {voters === 1 ? `They get ${whole}.` : `Each of them gets ${share}.`}</dd>
      </div>
      <div>
        <dt>{voters === 1 ? "They deny" : "Anybody denies"}</dt>
        <dd>
          {voters === 1
            ? `The thread keeps ${whole}.`
            : `The thread keeps the deniers' part of ${whole}; the approvers' part goes to the pool for cited threads.`}
        </dd>
      </div>
      <div>
        <dt>
          {counted(days, "day")} pass without {voters === 1 ? "a decision" : "all votes, and none denies"}
        </dt>
        <dd>{whole} go to the pool for cited threads.</dd>
      </div>
      <div>
        <dt>You withdraw before the first vote</dt>
        <dd>You get {whole} back.</dd>
      </div>
    </dl>
  );
}

function clamp(value: bigint, least: bigint, most: bigint): bigint {
  if (value < least) return least;
  return value > most ? most : value;
}
