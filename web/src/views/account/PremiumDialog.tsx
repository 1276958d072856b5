import { Button, Group, Modal, NumberInput } from "@mantine/core";
import { useState } from "react";
import { explain } from "@/api/errors";
import type { NetworkView } from "@/api/queries";
import type { Account } from "@/keys/account";
import { formatChoir } from "@/lib/amounts";
import { counted } from "@/ui/format";
import { useAction } from "./useAction";

interface Props {
  account: Account;
  balance: bigint;
  params: NetworkView["params"];
  onClose: () => void;
}

const MOST_PERIODS = 120;
const DAY_S = 86_400;

export function PremiumDialog({ account, balance, params, onClose }: Props) {
  const [periods, setPeriods] = useState(1);
  const action = useAction(account, "You are a premium member.", onClose);
  const price = BigInt(params.premium_price) * BigInt(periods);
  const days = (params.premium_period_seconds / DAY_S) * periods;
  return (
    <Modal opened onClose={onClose} title="Premium" centered>
      <p>
        Premium members read, find and cite messages of the level “premium”. The price goes to the pool for cited
        threads.
      </p>
      <NumberInput
        label={`Periods of ${counted(params.premium_period_seconds / DAY_S, "day")}`}
        min={1}
        max={MOST_PERIODS}
        allowDecimal={false}
        clampBehavior="strict"
        value={periods}
        onChange={(value) => setPeriods(Math.max(1, Number(value) || 1))}
      />
      <p>
        <strong>{formatChoir(price)} CHOIR</strong> for {counted(days, "day")}.
        {price > balance && ` You have ${formatChoir(balance)}.`}
      </p>
      {action.error !== null && <p role="alert">{explain(action.error)}</p>}
      <Group justify="flex-end" mt="md">
        <Button variant="default" onClick={onClose}>
          Cancel
        </Button>
        <Button
          loading={action.isPending}
          disabled={price > balance}
          onClick={() => action.mutate({ type: "subscribe_premium", periods })}
        >
          Sign and pay
        </Button>
      </Group>
    </Modal>
  );
}
