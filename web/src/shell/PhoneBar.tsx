import { Link } from "@tanstack/react-router";
import { UserRound } from "lucide-react";
import { useAccount } from "@/keys/account";
import { Avatar } from "@/ui/Avatar";
import { NAVIGATION } from "./navigation";
import classes from "./PhoneBar.module.css";

/** The places at the bottom of a phone. */
export function PhoneBar() {
  const address = useAccount()?.address;
  return (
    <nav className={classes.bar} aria-label="Main">
      {NAVIGATION.filter(({ to }) => to !== "/network").map(({ to, label, icon: Icon, Count }) => (
        <Link key={to} to={to} className={classes.entry} activeOptions={{ exact: to === "/" }}>
          <span className={classes.icon}>
            <Icon size={21} aria-hidden />
            {Count !== undefined && <Count />}
          </span>
          {label}
        </Link>
      ))}
      {address === undefined ? (
        <Link to="/join" className={classes.entry}>
          <span className={classes.icon}>
            <UserRound size={21} aria-hidden />
          </span>
          Join
        </Link>
      ) : (
        <Link to="/account/$address" params={{ address }} className={classes.entry}>
          <span className={classes.icon}>
            <Avatar address={address} size={21} />
          </span>
          You
        </Link>
      )}
    </nav>
  );
}
