import { Button, Group, Modal, Radio, Stack } from "@mantine/core";
import { useState } from "react";
import { explain } from "@/api/errors";
import type { MessageView } from "@/api/queries";
import { PRIVACY_LEVELS, type PrivacyLevel } from "@/lib/transactions";
import { LEVELS } from "@/ui/PrivacyBadge";
import { WRITABLE } from "@/writing/PrivacyPicker";
import { useMessageChange } from "./useMessageChange";

interface Props {
  message: MessageView;
  isMine: boolean;
  onClose: () => void;
}

/** Its author sets any level, another co-author a stricter one. */
export function PrivacyDialog({ message, isMine, onClose }: Props) {
  const current = message.privacy as PrivacyLevel;
  const [level, setLevel] = useState(current);
  const change = useMessageChange(message, "Changed. It is shown accordingly from now on.", onClose);
  const strictness = (choice: PrivacyLevel): number => PRIVACY_LEVELS.indexOf(choice);
  const choices = WRITABLE.filter((choice) => isMine || strictness(choice) >= strictness(current));
  const isStricter = strictness(level) > strictness(current);
  return (
    <Modal opened onClose={onClose} title="Who reads this message" centered>
      {current === "encrypted" && (
        <p className="quiet">
          {isMine
            ? "It is encrypted. At another level people get what the node stores; this app does not decrypt it."
            : "It is encrypted. Nothing is stricter than that."}
        </p>
      )}
      <Radio.Group
        value={level}
        onChange={(value) => setLevel(value as PrivacyLevel)}
        aria-label="Who reads this message"
      >
        <Stack gap="sm">
          {choices.map((choice) => (
            <Radio key={choice} value={choice} label={LEVELS[choice]?.label} description={LEVELS[choice]?.means} />
          ))}
        </Stack>
      </Radio.Group>
      {isStricter && (
        <p className="quiet">
          What has been read has been read: this hides the text here, not in copies that others have made.
        </p>
      )}
      {!isMine && <p className="quiet">You did not write it, so you can only make it stricter.</p>}
      {change.error !== null && <p role="alert">{explain(change.error)}</p>}
      <Group justify="flex-end" mt="md">
        <Button variant="default" onClick={onClose}>
          Cancel
        </Button>
        <Button
          loading={change.isPending}
          disabled={level === current}
          onClick={() => change.mutate({ type: "set_privacy", message_hash: message.content_hash, level })}
        >
          Sign and change
        </Button>
      </Group>
    </Modal>
  );
}
