import { Button, Textarea, UnstyledButton } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import { Eye, EyeOff, SendHorizontal, Undo2 } from "lucide-react";
import { type ClipboardEvent, type KeyboardEvent, useEffect, useRef, useState } from "react";
import type { ThreadView } from "@/api/queries";
import { useSession } from "@/api/session";
import { type Account, useAccount } from "@/keys/account";
import type { PrivacyLevel } from "@/lib/transactions";
import { Markdown } from "@/markdown/Markdown";
import { ChosenPriors } from "./ChosenPriors";
import { CiteMenu } from "./CiteMenu";
import classes from "./Composer.module.css";
import { citeIn, type Draft, useDraft, withoutPrior } from "./drafts";
import { PrivacyPicker, WRITABLE } from "./PrivacyPicker";
import { send } from "./pending";
import { SignedMenu } from "./SignedMenu";
import { StakePanel } from "./StakePanel";
import { recoverSent } from "./sent";

const MAX_BYTES = 65_536;

/** Where one writes into a thread: a co-author's message, or anybody else's spec with its stake. */
export function Composer({ thread }: { thread: ThreadView }) {
  const account = useAccount();
  if (account === undefined) {
    return (
      <div className={classes.join}>
        <span>To write here you need a key of your own. It takes a minute.</span>
        <Button component={Link} to="/join" size="sm">
          Join
        </Button>
      </div>
    );
  }
  const isCoAuthor = thread.co_authors.includes(account.address);
  return <Writing key={account.address} account={account} thread={thread} isSpec={!isCoAuthor} />;
}

interface WritingProps {
  account: Account;
  thread: ThreadView;
  isSpec: boolean;
}

function Writing({ account, thread, isSpec }: WritingProps) {
  const place = `${account.address}.${thread.thread_id}`;
  const [draft, change] = useDraft(place);
  const [isPreview, setPreview] = useState(false);
  const [isOpen, setOpen] = useState(false);
  const area = useRef<HTMLTextAreaElement>(null);
  const level = draft.privacy ?? (thread.privacy as PrivacyLevel);
  const problem = problemOf(draft, isSpec, level);
  const isEmpty = draft.text.trim() === "";
  const isSignedIn = useSession().is === "signed-in";
  useEffect(() => {
    if (isSignedIn) void recoverSent(account.address);
  }, [isSignedIn, account.address]);

  const submit = (): void => {
    if (problem !== undefined || isEmpty) return;
    setPreview(false);
    setOpen(false);
    void send(account, thread.thread_id, place, isSpec ? draft : { ...draft, stake: undefined });
    area.current?.focus();
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.key === "Enter" && (event.metaKey || event.ctrlKey)) {
      event.preventDefault();
      submit();
    }
  };
  const cite = (hash: string): void => {
    const mark = `[${citeIn(place, hash)}]`;
    const at = area.current?.selectionEnd ?? draft.text.length;
    change({ text: `${draft.text.slice(0, at)}${mark}${draft.text.slice(at)}` });
  };

  const onPaste = (event: ClipboardEvent): void => {
    // The link of a message becomes a citation of it.
    const hash = /\/message\/([0-9a-f]{64})\/?$/.exec(event.clipboardData.getData("text").trim())?.[1];
    if (hash === undefined) return;
    event.preventDefault();
    cite(hash);
  };

  if (isSpec && !isOpen && isEmpty && draft.returned === undefined) {
    return (
      <div className={classes.composer}>
        <UnstyledButton className={classes.closed} onClick={() => setOpen(true)}>
          Propose a message to this thread…
        </UnstyledButton>
      </div>
    );
  }
  return (
    <section className={classes.composer} aria-label={isSpec ? "Submit a spec" : "Write a message"}>
      {draft.returned !== undefined && (
        <p className={classes.returned} role="alert">
          <Undo2 size={15} aria-hidden /> {draft.returned}
        </p>
      )}
      {isPreview ? (
        <div className={classes.preview}>
          <Markdown text={draft.text} priors={draft.priors} />
        </div>
      ) : (
        <Textarea
          ref={area}
          variant="unstyled"
          autosize
          minRows={isSpec ? 3 : 1}
          maxRows={12}
          dir="auto"
          autoFocus={isOpen}
          aria-label={isSpec ? "Text of the spec" : "Message"}
          placeholder={isSpec ? "What should join this thread?" : "Write to this thread…"}
          value={draft.text}
          onChange={(event) => change({ text: event.currentTarget.value, returned: undefined })}
          onKeyDown={onKeyDown}
          onPaste={onPaste}
          classNames={{ input: classes.input ?? "" }}
        />
      )}
      <ChosenPriors priors={draft.priors} onRemove={(hash) => change(withoutPrior(draft, hash))} />
      {isSpec && <StakePanel account={account} thread={thread} draft={draft} onChange={change} />}
      <div className={classes.tools}>
        <CiteMenu text={draft.text} chosen={draft.priors} onCite={cite} />
        <PrivacyPicker level={level} onChange={(privacy) => change({ privacy })} />
        <UnstyledButton
          className={classes.tool}
          onClick={() => setPreview(!isPreview)}
          aria-pressed={isPreview}
          disabled={isEmpty}
        >
          {isPreview ? <EyeOff size={16} aria-hidden /> : <Eye size={16} aria-hidden />}
          <span className={classes.label}>Preview</span>
        </UnstyledButton>
        {!isEmpty && <SignedMenu account={account} thread={thread} draft={draft} isSpec={isSpec} />}
        <span className={classes.problem} role="status">
          {isEmpty ? "" : problem}
        </span>
        {isSpec && isEmpty && (
          <Button variant="subtle" color="gray" size="sm" onClick={() => setOpen(false)}>
            Cancel
          </Button>
        )}
        <Button
          size="sm"
          className={classes.send ?? ""}
          rightSection={<SendHorizontal size={16} />}
          disabled={isEmpty || problem !== undefined}
          onClick={submit}
          title="Sign and send (Ctrl or ⌘ Enter)"
        >
          {isSpec ? "Stake and submit" : "Sign and send"}
        </Button>
      </div>
    </section>
  );
}

function problemOf(draft: Draft, isSpec: boolean, level: PrivacyLevel): string | undefined {
  const bytes = new TextEncoder().encode(draft.text).length;
  if (bytes > MAX_BYTES) return `Too long by ${bytes - MAX_BYTES} bytes`;
  if (!WRITABLE.includes(level)) return "This app cannot encrypt. Choose who reads it, or write with another client.";
  if (isSpec && draft.stake === undefined) return "Choose a stake that you have";
  return undefined;
}
