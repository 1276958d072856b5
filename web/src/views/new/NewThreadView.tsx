import { Button, Textarea, TextInput } from "@mantine/core";
import { Link, useNavigate } from "@tanstack/react-router";
import { PenLine } from "lucide-react";
import { type FormEvent, useState } from "react";
import { explain } from "@/api/errors";
import { useOnce } from "@/api/useOnce";
import { type Account, useAccount } from "@/keys/account";
import { newThreadId, type PrivacyLevel } from "@/lib/transactions";
import { Page } from "@/ui/Page";
import { LEVELS } from "@/ui/PrivacyBadge";
import { Empty } from "@/ui/States";
import { dropDraft, useDraft } from "@/writing/drafts";
import { PrivacyPicker } from "@/writing/PrivacyPicker";
import { begin } from "@/writing/pending";
import classes from "./NewThreadView.module.css";

export function NewThreadView() {
  const account = useAccount();
  return (
    <Page title="Begin a thread">
      {account === undefined ? (
        <Empty icon={<PenLine />} title="A thread needs an author">
          <p>Make a key first: it is your account, and it signs what you write.</p>
          <Button component={Link} to="/join">
            Join
          </Button>
        </Empty>
      ) : (
        <Form account={account} />
      )}
    </Page>
  );
}

function Form({ account }: { account: Account }) {
  const place = `${account.address}.new`;
  const [draft, change] = useDraft(place);
  const [title, setTitle] = useState("");
  // One for all attempts: a thread whose first message failed gets it at the next.
  const [threadId] = useState(newThreadId);
  const navigate = useNavigate();
  const privacy: PrivacyLevel = draft.privacy ?? "public";
  const start = useOnce({
    mutationFn: async () => {
      const text = `# ${title.trim()}\n\n${draft.text}`;
      await begin(account, { type: "create_thread", thread_id: threadId, privacy }, text);
    },
    onSuccess: () => {
      dropDraft(place);
      void navigate({ to: "/thread/$threadId", params: { threadId } });
    },
  });
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    start.mutate();
  };
  return (
    <form className={classes.form} onSubmit={submit}>
      <TextInput
        variant="unstyled"
        autoFocus
        required
        maxLength={120}
        dir="auto"
        aria-label="Title"
        placeholder="Title"
        classNames={{ input: classes.title ?? "" }}
        value={title}
        onChange={(event) => setTitle(event.currentTarget.value)}
      />
      <Textarea
        variant="unstyled"
        autosize
        minRows={8}
        required
        dir="auto"
        aria-label="First message"
        placeholder="What is it about? Markdown, code and formulas work."
        classNames={{ input: classes.text ?? "" }}
        value={draft.text}
        onChange={(event) => change({ text: event.currentTarget.value })}
      />
      {start.error !== null && (
        <p className={classes.problem} role="alert">
          Your text is still here. {explain(start.error)}
        </p>
      )}
      <div className={classes.tools}>
        <PrivacyPicker level={privacy} onChange={(level) => change({ privacy: level })} />
        <span className={classes.means}>
          {LEVELS[privacy]?.means} You are its first co-author; others join by specs that you approve.
        </span>
        <Button type="submit" loading={start.isPending} disabled={title.trim() === "" || draft.text.trim() === ""}>
          Sign and begin
        </Button>
      </div>
    </form>
  );
}
