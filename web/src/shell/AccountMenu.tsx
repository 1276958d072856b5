import { useInfiniteQuery } from "@tanstack/react-query";
import { ChevronsUpDown, CircleUserRound, UserRound } from "lucide-react";
import { useState } from "react";
import { accountQuery } from "@/api/queries";
import { type Account, useAccount } from "@/keys/account";
import { Amount } from "@/ui/Amount";
import { Avatar } from "@/ui/Avatar";
import { shortAddress } from "@/ui/format";
import { later } from "@/ui/later";
import { Opener } from "@/ui/Opener";
import classes from "./AccountMenu.module.css";

export const accountItems = later(async () => (await import("./AccountItems")).AccountItems);
export const smallAccountItems = later(async () => (await import("./AccountItems")).SmallAccountItems);

/** Who acts, with the way to their page, to other accounts, and between light and dark. `isSmall`: only their sign. */
export function AccountMenu({ isSmall = false }: { isSmall?: boolean }) {
  const active = useAccount();
  const [isOpen, setOpen] = useState(false);
  const opening = { kind: "menu", isOpen, onChange: setOpen, className: classes.button } as const;
  return isSmall ? (
    <Opener opens={smallAccountItems} label="Account and settings" {...opening}>
      {active === undefined ? <CircleUserRound size={22} aria-hidden /> : <Avatar address={active.address} size={24} />}
    </Opener>
  ) : (
    <Opener opens={accountItems} {...opening}>
      {active === undefined ? <Nobody /> : <Somebody account={active} />}
      <ChevronsUpDown size={15} aria-hidden />
    </Opener>
  );
}

function Nobody() {
  return (
    <>
      <span className={classes.sign}>
        <UserRound size={16} aria-hidden />
      </span>
      <span className={classes.name}>
        Signed out <small>You read as everybody</small>
      </span>
    </>
  );
}

function Somebody({ account }: { account: Account }) {
  const { data } = useInfiniteQuery(accountQuery(account.address));
  const balance = data?.pages[0]?.balance;
  return (
    <>
      <Avatar address={account.address} size={30} />
      <span className={classes.name}>
        <bdi>{shortAddress(account.address)}</bdi>
        <small>{balance === undefined ? "…" : <Amount uchoir={balance} />}</small>
      </span>
    </>
  );
}
