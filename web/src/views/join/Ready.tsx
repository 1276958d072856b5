import { Button } from "@mantine/core";
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { accountQuery, networkQuery } from "@/api/queries";
import type { Account } from "@/keys/account";
import { Amount } from "@/ui/Amount";
import { Avatar } from "@/ui/Avatar";
import { CopyText } from "@/ui/CopyText";
import { FaucetButton } from "@/ui/FaucetButton";
import { shortAddress } from "@/ui/format";
import classes from "./JoinView.module.css";

/** What there is now, and what comes next. */
export function Ready({ account, onDone }: { account: Account; onDone: () => void }) {
  const { data } = useInfiniteQuery(accountQuery(account.address));
  const network = useQuery(networkQuery);
  const balance = BigInt(data?.pages[0]?.balance ?? "0");
  return (
    <div className={classes.ready}>
      <Avatar address={account.address} size={88} />
      <h1 className={classes.title}>This is you</h1>
      <p className={classes.lead}>
        <CopyText text={account.address} shown={shortAddress(account.address)} />
        <br />
        {account.holder === "browser"
          ? "Your key is in this browser, and no page can read it out."
          : `Your key is in ${account.holder.wallet}, which asks you before it signs.`}
      </p>
      {network.data?.is_development === true && balance === 0n ? (
        <>
          <p className={classes.hint}>
            To submit a message to other people's threads you stake CHOIR. This is a development chain, so you get some
            for nothing.
          </p>
          <FaucetButton address={account.address} size="md" />
        </>
      ) : (
        <p className={classes.lead}>
          You have <Amount uchoir={balance} />.
        </p>
      )}
      <div className={classes.row}>
        <Button variant={balance === 0n ? "default" : "filled"} onClick={onDone}>
          Look around
        </Button>
        <Button variant="default" component={Link} to="/new">
          Begin a thread
        </Button>
      </div>
    </div>
  );
}
