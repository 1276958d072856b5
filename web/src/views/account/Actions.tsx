import { Button } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { ArrowUpRight, Gem } from "lucide-react";
import { useState } from "react";
import { type AccountView, networkQuery } from "@/api/queries";
import type { Account } from "@/keys/account";
import { FaucetButton } from "@/ui/FaucetButton";
import { formatDateTime } from "@/ui/format";
import classes from "./AccountView.module.css";
import { PremiumDialog } from "./PremiumDialog";
import { TransferDialog } from "./TransferDialog";

const FULL_WALLET = 10_000_000_000n; // what the faucet fills a wallet up to, in uchoir

/** What one can do with one's own wallet. */
export function Actions({ account, view }: { account: Account; view: AccountView }) {
  const network = useQuery(networkQuery).data;
  const [dialog, setDialog] = useState<"transfer" | "premium">();
  const close = (): void => setDialog(undefined);
  const isPremium = network !== undefined && view.premium_until_ms > network.time_ms;
  return (
    <>
      <div className={classes.actions}>
        <Button variant="default" leftSection={<ArrowUpRight size={17} />} onClick={() => setDialog("transfer")}>
          Send CHOIR
        </Button>
        <Button variant="default" leftSection={<Gem size={16} />} onClick={() => setDialog("premium")}>
          {isPremium ? "Extend premium" : "Become premium"}
        </Button>
        {network?.is_development === true && BigInt(view.balance) < FULL_WALLET && (
          <FaucetButton address={account.address} />
        )}
      </div>
      {isPremium && <p className="quiet">Premium until {formatDateTime(view.premium_until_ms)}.</p>}
      {dialog === "transfer" && <TransferDialog account={account} balance={BigInt(view.balance)} onClose={close} />}
      {dialog === "premium" && network !== undefined && (
        <PremiumDialog account={account} balance={BigInt(view.balance)} params={network.params} onClose={close} />
      )}
    </>
  );
}
