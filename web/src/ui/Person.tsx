import { Link } from "@tanstack/react-router";
import { useAccount } from "@/keys/account";
import { Avatar } from "./Avatar";
import { shortAddress } from "./format";
import classes from "./Person.module.css";

/** An account: its sign, its short address (or "You"), and the way to its page. */
export function Person({ address, size = 20, sign = true }: { address: string; size?: number; sign?: boolean }) {
  const isMe = useAccount()?.address === address;
  return (
    <Link to="/account/$address" params={{ address }} className={classes.person} title={address}>
      {sign && <Avatar address={address} size={size} />}
      <bdi>{isMe ? "You" : shortAddress(address)}</bdi>
    </Link>
  );
}

/** The first few of many people, as their signs. */
export function People({ addresses, most = 5 }: { addresses: readonly string[]; most?: number }) {
  const shown = addresses.slice(0, most);
  return (
    <span className={classes.people}>
      {shown.map((address) => (
        <Link
          key={address}
          to="/account/$address"
          params={{ address }}
          title={address}
          aria-label={`Account ${address}`}
        >
          <Avatar address={address} size={22} />
        </Link>
      ))}
      {addresses.length > most && <span className="quiet">+{addresses.length - most}</span>}
    </span>
  );
}
