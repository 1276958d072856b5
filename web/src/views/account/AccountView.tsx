import { Button } from "@mantine/core";
import { useInfiniteQuery } from "@tanstack/react-query";
import { Link, useParams } from "@tanstack/react-router";
import { accountQuery, type AccountView as View } from "@/api/queries";
import { useAccount } from "@/keys/account";
import { Amount } from "@/ui/Amount";
import { Avatar } from "@/ui/Avatar";
import { CopyText } from "@/ui/CopyText";
import { shortAddress } from "@/ui/format";
import { Page } from "@/ui/Page";
import { Failure, Loading } from "@/ui/States";
import classes from "./AccountView.module.css";
import { Actions } from "./Actions";
import type { AccountEvent } from "./describeEvent";
import { History } from "./History";
import { KeySection } from "./KeySection";
import { OwnThreads } from "./OwnThreads";

export function AccountView() {
  const { address } = useParams({ from: "/account/$address" });
  const { data, error, refetch, hasNextPage, fetchNextPage, isFetchingNextPage } = useInfiniteQuery(
    accountQuery(address),
  );
  const account = data?.pages[0];
  const active = useAccount();
  const own = active?.address === address ? active : undefined;
  return (
    <Page title={own === undefined ? "Account" : "Your account"}>
      {account === undefined ? (
        error === null ? (
          <Loading what="the account" />
        ) : (
          <Failure error={error} onRetry={() => void refetch()} what="The account" />
        )
      ) : (
        <>
          <Balance account={account} isMine={own !== undefined} />
          {own !== undefined && <Actions account={own} view={account} />}
          <OwnThreads view={account} />
          <History
            address={address}
            events={(data?.pages.flatMap((page) => page.history.items) ?? []) as AccountEvent[]}
          />
          {hasNextPage && (
            <Button variant="default" fullWidth loading={isFetchingNextPage} onClick={() => void fetchNextPage()}>
              Show more
            </Button>
          )}
          {own !== undefined && <KeySection account={own} />}
        </>
      )}
    </Page>
  );
}

function Balance({ account, isMine }: { account: View; isMine: boolean }) {
  return (
    <section className={classes.balance} aria-label="Balance">
      <Avatar address={account.address} size={56} />
      <div>
        <CopyText text={account.address} shown={shortAddress(account.address)} />{" "}
        <Link to="/search" search={{ author: account.address }} className={`link ${classes.search}`}>
          {isMine ? "Search your messages" : "Search their messages"}
        </Link>
        <p className={classes.amount}>
          <Amount uchoir={account.balance} />
        </p>
      </div>
    </section>
  );
}
