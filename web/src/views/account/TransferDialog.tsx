import { Button, Group, Modal, Stack, TextInput } from "@mantine/core";
import { type FormEvent, useState } from "react";
import { explain } from "@/api/errors";
import type { Account } from "@/keys/account";
import { formatChoir, parseChoir } from "@/lib/amounts";
import { isAddress } from "@/lib/base58";
import { useAction } from "./useAction";

interface Props {
  account: Account;
  /** uchoir */
  balance: bigint;
  onClose: () => void;
}

export function TransferDialog({ account, balance, onClose }: Props) {
  const [to, setTo] = useState("");
  const [amount, setAmount] = useState("");
  const action = useAction(account, "Sent. It is final.", onClose);
  const uchoir = parseChoir(amount);
  const recipient = to.trim();
  const addressProblem = recipient !== "" && !isAddress(recipient) ? "This is no address." : undefined;
  const amountProblem =
    amount === ""
      ? undefined
      : uchoir === undefined || uchoir === 0n
        ? "An amount has at most six digits after the point."
        : uchoir > balance
          ? `You have ${formatChoir(balance, 6)} CHOIR.`
          : undefined;
  const isReady = isAddress(recipient) && uchoir !== undefined && uchoir > 0n && uchoir <= balance;
  const send = (event: FormEvent): void => {
    event.preventDefault();
    if (isReady) action.mutate({ type: "transfer", to: recipient, amount: String(uchoir) });
  };
  return (
    <Modal opened onClose={onClose} title="Send CHOIR" centered>
      <form onSubmit={send}>
        <Stack>
          <TextInput
            label="To"
            placeholder="Address"
            data-autofocus
            autoComplete="off"
            spellCheck={false}
            value={to}
            error={addressProblem}
            description={recipient === account.address ? "This is your own address." : undefined}
            onChange={(event) => setTo(event.currentTarget.value)}
          />
          <TextInput
            label="Amount"
            inputMode="decimal"
            autoComplete="off"
            rightSection="CHOIR"
            rightSectionWidth={72}
            value={amount}
            error={amountProblem}
            onChange={(event) => setAmount(event.currentTarget.value)}
          />
          {action.error !== null && <p role="alert">{explain(action.error)}</p>}
          <p className="quiet">What is sent cannot be called back.</p>
          <Group justify="flex-end">
            <Button variant="default" onClick={onClose}>
              Cancel
            </Button>
            <Button type="submit" loading={action.isPending} disabled={!isReady}>
              Sign and send
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}
