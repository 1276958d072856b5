import { Button, Group, Modal, TextInput } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { explain } from "@/api/errors";
import { networkQuery } from "@/api/queries";
import type { Account } from "@/keys/account";
import { choirText, formatChoir, parseChoir } from "@/lib/amounts";
import { counted } from "@/ui/format";
import { useAction } from "./useAction";

interface Props {
  account: Account;
  threadId: string;
  /** The most that can be taken, in uchoir. */
  share: bigint;
  onClose: () => void;
}

const DAY_S = 86_400;

export function DivestDialog({ account, threadId, share, onClose }: Props) {
  const [amount, setAmount] = useState(choirText(share));
  const network = useQuery(networkQuery).data;
  const action = useAction(account, "It is in your wallet.", onClose);
  const uchoir = parseChoir(amount);
  const isReady = uchoir !== undefined && uchoir > 0n && uchoir <= share;
  const divest = (event: FormEvent): void => {
    event.preventDefault();
    if (isReady) action.mutate({ type: "divest", thread_id: threadId, amount: String(uchoir) });
  };
  return (
    <Modal opened onClose={onClose} title="Take your share" centered>
      <form onSubmit={divest}>
        <TextInput
          label="Amount"
          inputMode="decimal"
          data-autofocus
          rightSection="CHOIR"
          rightSectionWidth={72}
          value={amount}
          error={amount !== "" && !isReady ? `Between 0.000001 and ${formatChoir(share, 6)} CHOIR.` : undefined}
          onChange={(event) => setAmount(event.currentTarget.value)}
        />
        {network !== undefined && (
          <p className="quiet">
            From the thread to your wallet. You stay its co-author. The next time is in{" "}
            {counted(network.params.divest_cooldown_seconds / DAY_S, "day")};{" "}
            {formatChoir(String(network.params.minimum_thread_balance))} CHOIR always stay in the thread.
          </p>
        )}
        {action.error !== null && <p role="alert">{explain(action.error)}</p>}
        <Group justify="flex-end" mt="md">
          <Button variant="default" onClick={onClose}>
            Cancel
          </Button>
          <Button type="submit" loading={action.isPending} disabled={!isReady}>
            Sign and take it
          </Button>
        </Group>
      </form>
    </Modal>
  );
}
