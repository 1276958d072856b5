import { Bell as BellIcon } from "lucide-react";
import { useAccount } from "@/keys/account";
import { counted, formatCount } from "@/ui/format";
import { later } from "@/ui/later";
import { Opener } from "@/ui/Opener";
import classes from "./Bell.module.css";
import { bell } from "./bellState";
import { useNotices } from "./store";

export const bellPanel = later(async () => (await import("./BellPanel")).BellPanel);

/** What one should know about: requests for a vote, outcomes, tokens. With the number of those not read yet. */
export function Bell() {
  const account = useAccount();
  const notices = useNotices();
  const isOpen = bell.use();
  if (account === undefined) return null;
  const unread = notices.filter(({ isRead }) => !isRead).length;
  return (
    <Opener
      opens={bellPanel}
      kind="dialog"
      isOpen={isOpen}
      onChange={bell.set}
      className={classes.bell}
      label={unread === 0 ? "Notifications" : `Notifications, ${counted(unread, "new one", "new ones")}`}
    >
      <BellIcon size={18} aria-hidden />
      {unread > 0 && (
        <span className={classes.count} aria-hidden>
          {formatCount(unread)}
        </span>
      )}
    </Opener>
  );
}
