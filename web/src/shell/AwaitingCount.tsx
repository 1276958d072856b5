import { useInfiniteQuery } from "@tanstack/react-query";
import { specsQuery } from "@/api/queries";
import { awaits } from "@/deciding/record";
import { useAccount } from "@/keys/account";
import { counted, formatCount } from "@/ui/format";
import classes from "./AwaitingCount.module.css";

/** How many specs await one's vote. */
export function AwaitingCount() {
  const address = useAccount()?.address;
  const { data } = useInfiniteQuery({
    ...specsQuery({ voter: address ?? "", status: "open" }),
    enabled: address !== undefined,
  });
  if (address === undefined) return null;
  const count = data?.pages.flatMap((page) => page.items).filter((spec) => awaits(spec, address)).length ?? 0;
  if (count === 0) return null;
  return (
    <span className={classes.count} title={`${counted(count, "spec")} await your vote`}>
      {formatCount(count)}
    </span>
  );
}
