import { ActionIcon, Menu } from "@mantine/core";
import { useClipboard } from "@mantine/hooks";
import { useNavigate } from "@tanstack/react-router";
import { BadgeCheck, Ellipsis, Eraser, Link2, LockKeyhole, Network, Quote } from "lucide-react";
import { useState } from "react";
import type { MessageView } from "@/api/queries";
import { useAccount } from "@/keys/account";
import { tell } from "@/ui/notify";
import { changeDraft, citeIn, readDraft } from "@/writing/drafts";
import { EraseDialog } from "./EraseDialog";
import classes from "./MessageCard.module.css";
import { PrivacyDialog } from "./PrivacyDialog";

interface Props {
  message: MessageView;
  /** Whether the reader is one of the thread's co-authors. */
  isCoAuthor: boolean;
  /** Shows what it cites and what cites it. */
  onCitations: () => void;
}

/** What one can do with a message. */
export function MessageMenu({ message, isCoAuthor, onCitations }: Props) {
  const address = useAccount()?.address;
  const navigate = useNavigate();
  const { copy } = useClipboard();
  const [dialog, setDialog] = useState<"privacy" | "erase">();
  const hash = message.content_hash;
  const isMine = message.author === address;
  const canCite = address !== undefined && message.status === "approved" && !message.is_erased;

  const cite = (): void => {
    const place = `${address}.${message.thread_id}`;
    const mark = `[${citeIn(place, hash)}]`;
    const { text } = readDraft(place);
    changeDraft(place, { text: text === "" ? `${mark} ` : `${text}${mark}` });
    tell("Cited in your draft below.");
  };
  const copyLink = (): void => {
    copy(`${window.location.origin}/message/${hash}`);
    tell("Link copied. Paste it into a draft to cite the message there.");
  };
  return (
    <>
      <Menu position="bottom-end" width={230} shadow="md" withinPortal>
        <Menu.Target>
          <ActionIcon className={classes.menu} variant="subtle" color="gray" aria-label="What to do with this message">
            <Ellipsis size={18} />
          </ActionIcon>
        </Menu.Target>
        <Menu.Dropdown>
          {canCite && (
            <Menu.Item leftSection={<Quote size={16} />} onClick={cite}>
              Cite
            </Menu.Item>
          )}
          <Menu.Item leftSection={<Link2 size={16} />} onClick={copyLink}>
            Copy link
          </Menu.Item>
          <Menu.Item leftSection={<Network size={16} />} onClick={onCitations}>
            Citations
          </Menu.Item>
          <Menu.Item
            leftSection={<BadgeCheck size={16} />}
            onClick={() => void navigate({ to: "/proof/$hash", params: { hash } })}
          >
            Verify
          </Menu.Item>
          {(isMine || isCoAuthor) && !message.is_erased && (
            <>
              <Menu.Divider />
              <Menu.Item leftSection={<LockKeyhole size={16} />} onClick={() => setDialog("privacy")}>
                Change who reads it
              </Menu.Item>
            </>
          )}
          {isMine && !message.is_erased && (
            <Menu.Item color="red" leftSection={<Eraser size={16} />} onClick={() => setDialog("erase")}>
              Erase
            </Menu.Item>
          )}
        </Menu.Dropdown>
      </Menu>
      {dialog === "privacy" && <PrivacyDialog message={message} isMine={isMine} onClose={() => setDialog(undefined)} />}
      {dialog === "erase" && <EraseDialog message={message} onClose={() => setDialog(undefined)} />}
    </>
  );
}
