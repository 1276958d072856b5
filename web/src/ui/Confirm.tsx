import { Button, Group, Modal } from "@mantine/core";
import type { ReactNode } from "react";
import { explain } from "@/api/errors";

interface Props {
  isOpen: boolean;
  title: string;
  /** The word on the button that does it. */
  action: string;
  isPending: boolean;
  error: unknown;
  onConfirm: () => void;
  onClose: () => void;
  children: ReactNode;
}

/** Asks before something that cannot be undone. */
export function Confirm({ isOpen, title, action, isPending, error, onConfirm, onClose, children }: Props) {
  return (
    <Modal opened={isOpen} onClose={onClose} title={title} centered size="sm">
      <p>{children}</p>
      {error != null && (
        <p role="alert" style={{ color: "var(--bad)" }}>
          {explain(error)}
        </p>
      )}
      <Group justify="flex-end" mt="lg">
        <Button variant="default" onClick={onClose} data-autofocus>
          Keep it
        </Button>
        <Button color="red" loading={isPending} onClick={onConfirm}>
          {action}
        </Button>
      </Group>
    </Modal>
  );
}
