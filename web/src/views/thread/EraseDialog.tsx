import { Button, Group, Modal } from "@mantine/core";
import { explain } from "@/api/errors";
import type { MessageView } from "@/api/queries";
import { beginningOfMessage } from "@/lib/excerpt";
import { shortHash } from "@/ui/format";
import { useMessageChange } from "./useMessageChange";

export function EraseDialog({ message, onClose }: { message: MessageView; onClose: () => void }) {
  const erase = useMessageChange(message, "Erased. Only its hash is left.", onClose);
  return (
    <Modal opened onClose={onClose} title="Erase this message for good?" centered>
      <blockquote className="excerpt" dir="auto">
        {beginningOfMessage(message, 160) || shortHash(message.content_hash)}
      </blockquote>
      <p className="quiet">
        Nodes delete its text and salt. Its hash, author, time and priors stay on the ledger, and what others have
        copied stays with them. Nobody can undo this.
      </p>
      {erase.error !== null && <p role="alert">{explain(erase.error)}</p>}
      <Group justify="flex-end" mt="md">
        <Button variant="default" onClick={onClose} data-autofocus>
          Keep it
        </Button>
        <Button
          color="red"
          loading={erase.isPending}
          onClick={() => erase.mutate({ type: "erase", message_hash: message.content_hash })}
        >
          Sign and erase
        </Button>
      </Group>
    </Modal>
  );
}
