import { Button } from "@mantine/core";
import { useInfiniteQuery } from "@tanstack/react-query";
import { useParams } from "@tanstack/react-router";
import { accountQuery, type AccountView as View } from "@/api/queries";
import { Amount } from "@/ui/Amount";
import { Avatar } from "@/ui/Avatar";
import { CopyText } from "@/ui/CopyText";
import { shortAddress } from "@/ui/format";
import { Page } from "@/ui/Page";
import { Failure, Loading } from "@/ui/States";
import classes from "./AccountView.module.css";
import type { AccountEvent } from "./describeEvent";
import { History } from "./History";
import { OwnThreads } from "./OwnThreads";

export function AccountView() {
  const { address } = useParams({ from: "/account/$address" });
  const { data, error, refetch, hasNextPage, fetchNextPage, isFetchingNextPage } = useInfiniteQuery(
    accountQuery(address),
  );
  const account = data?.pages[0];
  return (
    <Page title="Account">
      {account === undefined ? (
        error === null ? (
          <Loading what="the account" />
        ) : (
          <Failure error={error} onRetry={() => void refetch()} what="The account" />
        )
      ) : (
        <>
          <Balance account={account} />
          <OwnThreads account={account} />
          <History
            address={address}
            events={(data?.pages.flatMap((page) => page.history.items) ?? []) as AccountEvent[]}
          />
          {hasNextPage && (
            <Button variant="default" fullWidth loading={isFetchingNextPage} onClick={() => void fetchNextPage()}>
              Show more
            </Button>
          )}
        </>
      )}
    </Page>
  );
}

function Balance({ account }: { account: View }) {
  return (
    <section className={classes.balance} aria-label="Balance">
      <Avatar address={account.address} size={56} />
      <div>
        <CopyText text={account.address} shown={shortAddress(account.address)} />
        <p className={classes.amount}>
          <Amount uchoir={account.balance} />
        </p>
      </div>
    </section>
  );
}
