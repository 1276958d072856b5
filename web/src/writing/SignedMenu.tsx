import { Popover, UnstyledButton } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { FileSignature } from "lucide-react";
import { networkQuery, type ThreadView } from "@/api/queries";
import type { Account } from "@/keys/account";
import { makeContent } from "@/lib/transactions";
import { Amount } from "@/ui/Amount";
import { Facts } from "@/ui/Facts";
import { counted, shortAddress, shortHash } from "@/ui/format";
import { LEVELS } from "@/ui/PrivacyBadge";
import classes from "./Composer.module.css";
import type { Draft } from "./drafts";

interface Props {
  account: Account;
  thread: ThreadView;
  draft: Draft;
  isSpec: boolean;
}

/** What exactly one puts one's name under. */
export function SignedMenu({ account, thread, draft, isSpec }: Props) {
  const network = useQuery(networkQuery).data;
  const { text } = makeContent(draft.text);
  const level = draft.privacy ?? thread.privacy;
  return (
    <Popover width={340} position="top-start" shadow="md" withinPortal>
      <Popover.Target>
        <UnstyledButton className={classes.tool} aria-label="What is signed">
          <FileSignature size={16} aria-hidden /> <span className={classes.label}>What is signed</span>
        </UnstyledButton>
      </Popover.Target>
      <Popover.Dropdown>
        <Facts
          facts={[
            ["Kind", isSpec ? "submit_spec" : "post_message"],
            ["Signed by", shortAddress(account.address)],
            ["Chain", network?.chain_id ?? "…"],
            ["Thread", shortHash(thread.thread_id)],
            ["Text", `its hash, of ${counted(text.length, "character")} and a salt`],
            ["Priors", counted(draft.priors.length, "message")],
            ["Who reads it", LEVELS[level]?.label ?? level],
            ...(isSpec && draft.stake !== undefined
              ? [["Stake", <Amount key="stake" uchoir={draft.stake} />] as const]
              : []),
          ]}
        />
      </Popover.Dropdown>
    </Popover>
  );
}
