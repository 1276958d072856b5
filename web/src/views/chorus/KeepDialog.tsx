import { Button, Group, Modal, SegmentedControl, Select, Textarea, TextInput } from "@mantine/core";
import { useInfiniteQuery, useQueries, useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { explain } from "@/api/errors";
import { accountQuery, messageQuery, networkQuery, type ThreadView, threadsQuery } from "@/api/queries";
import type { Stage } from "@/api/submit";
import { useOnce } from "@/api/useOnce";
import { composeMessage } from "@/chorus/citations";
import type { RunDetail } from "@/chorus/events";
import { type Kept, keepAnswer, NEW_THREAD } from "@/chorus/keep";
import { type Account, useAccount } from "@/keys/account";
import { choirText, parseChoir } from "@/lib/amounts";
import { Amount } from "@/ui/Amount";
import { counted } from "@/ui/format";
import { tell } from "@/ui/notify";
import classes from "./KeepDialog.module.css";

type Way = "post" | "spec";

const STAGES: Record<Stage, string> = {
  signing: "Waiting for your signature…",
  sending: "Waiting until it is final…",
  retrying: "The node does not answer; trying again…",
};

/** Makes an answer a message: posted to an own thread, or submitted with a stake to a thread of others. */
export default function KeepDialog({ detail, onClose }: { detail: RunDetail; onClose: () => void }) {
  const account = useAccount();
  return (
    <Modal opened onClose={onClose} title="Keep this answer" size="lg" centered>
      {account === undefined ? (
        <p>Sign in to keep it: the message is signed with your key.</p>
      ) : (
        <KeepForm detail={detail} account={account} onClose={onClose} />
      )}
    </Modal>
  );
}

function KeepForm({ detail, account, onClose }: { detail: RunDetail; account: Account; onClose: () => void }) {
  const composed = composeMessage(detail);
  const [way, setWay] = useState<Way>("post");
  const [threadId, setThreadId] = useState<string | null>(detail.thread_id);
  const [text, setText] = useState(composed.text);
  const [stake, setStake] = useState<string>();
  const [stage, setStage] = useState<Stage>();
  const threads = useThreads(account.address);
  const offered = way === "post" ? threads.own : threads.others;
  const chosen = threadId === NEW_THREAD ? undefined : offered.find((thread) => thread.thread_id === threadId);
  const isNew = way === "post" && threadId === NEW_THREAD;
  const stakes = useStakes(account.address);
  const stakeText = stake ?? choirText(stakes.least);
  const uchoir = parseChoir(stakeText);
  const stakeProblem = way === "spec" ? problemOf(uchoir, stakes) : undefined;
  const tooMany = composed.priors.length > stakes.priorLimit;
  const navigate = useNavigate();
  const keep = useOnce({
    mutationFn: () =>
      keepAnswer(account, {
        threadId: isNew ? NEW_THREAD : (chosen?.thread_id ?? ""),
        text,
        priors: composed.priors,
        ...(way === "spec" && uchoir !== undefined ? { stake: uchoir } : {}),
        onStage: setStage,
      }),
    onSuccess: (kept) => {
      const { title, message } = told(kept);
      tell(message, title);
      onClose();
      const { threadId, contentHash } = kept;
      if (kept.isSpec) void navigate({ to: "/spec/$specId", params: { specId: contentHash } });
      else void navigate({ to: "/thread/$threadId", params: { threadId }, search: { message: contentHash } });
    },
  });
  const isEncrypted = chosen?.privacy === "encrypted";
  const canKeep =
    (isNew || chosen !== undefined) && !isEncrypted && text.trim() !== "" && stakeProblem === undefined && !tooMany;
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        if (canKeep) keep.mutate();
      }}
      className={classes.form}
    >
      <SegmentedControl
        fullWidth
        aria-label="How to keep it"
        value={way}
        onChange={(value) => setWay(value as Way)}
        data={[
          { value: "post", label: "Post to your thread" },
          { value: "spec", label: "Submit with a stake" },
        ]}
      />
      <Select
        label="Thread"
        placeholder="Choose a thread"
        searchable
        value={isNew ? NEW_THREAD : (chosen?.thread_id ?? null)}
        onChange={setThreadId}
        nothingFoundMessage={way === "post" ? "No thread of yours has this in its title." : "No thread has this."}
        data={[
          ...(way === "post" ? [{ value: NEW_THREAD, label: "A new public thread" }] : []),
          ...offered.map((thread) => ({ value: thread.thread_id, label: thread.title ?? "Private thread" })),
        ]}
        comboboxProps={{ withinPortal: true }}
      />
      {way === "spec" && (
        <TextInput
          label="Stake in CHOIR"
          description="Held until the co-authors have voted. All approve: they share it, and you become a co-author. Else it does not come back."
          inputMode="decimal"
          value={stakeText}
          error={stakeProblem}
          onChange={(event) => setStake(event.currentTarget.value)}
          rightSectionWidth="auto"
          rightSection={
            stakes.balance !== undefined && (
              <span className={classes.balance}>
                of <Amount uchoir={stakes.balance} />
              </span>
            )
          }
        />
      )}
      <Textarea
        label="Message"
        description="Your words now: you sign it with your key."
        autosize
        minRows={6}
        maxRows={14}
        dir="auto"
        value={text}
        onChange={(event) => setText(event.currentTarget.value)}
      />
      <p className={classes.note}>
        {composed.priors.length === 0
          ? "It cites nothing."
          : `It cites ${counted(composed.priors.length, "message")} as priors.`}
        {tooMany && ` A message may cite at most ${stakes.priorLimit}.`}
      </p>
      {isEncrypted && (
        <p className={classes.warning} role="alert">
          Messages of this thread are encrypted before they are sent, which this app cannot do. Choose another thread.
        </p>
      )}
      <PrivacyWarning priors={composed.priors} privacy={isNew ? "public" : chosen?.privacy} />
      {keep.error !== null && (
        <p className={classes.problem} role="alert">
          {explain(keep.error)}
        </p>
      )}
      <Group justify="flex-end">
        <span className={classes.stage} role="status">
          {keep.isPending && stage !== undefined && STAGES[stage]}
        </span>
        <Button variant="default" onClick={onClose} disabled={keep.isPending}>
          Close
        </Button>
        <Button type="submit" loading={keep.isPending} disabled={!canKeep}>
          {way === "post" ? "Sign and post" : "Sign and submit"}
        </Button>
      </Group>
    </form>
  );
}

/** An answer may repeat what not everybody may read. */
function PrivacyWarning({ priors, privacy }: { priors: readonly string[]; privacy: string | undefined }) {
  const found = useQueries({ queries: priors.map((hash) => messageQuery(hash)) });
  const closed = found.filter(({ data }) => data !== undefined && data.privacy !== "public").length;
  if (closed === 0 || privacy !== "public") return null;
  return (
    <p className={classes.warning} role="alert">
      {counted(closed, "cited message")} {closed === 1 ? "is" : "are"} not public, but this thread is. Look whether the
      text says what not everybody may know.
    </p>
  );
}

function useThreads(address: string): { own: ThreadView[]; others: ThreadView[] } {
  const own = useInfiniteQuery(threadsQuery(address));
  const all = useInfiniteQuery(threadsQuery());
  const mine = own.data?.pages.flatMap((page) => page.items) ?? [];
  const others = all.data?.pages.flatMap((page) => page.items) ?? [];
  return { own: mine, others: others.filter(({ co_authors }) => !co_authors.includes(address)) };
}

interface Stakes {
  least: bigint;
  balance: bigint | undefined;
  priorLimit: number;
}

function useStakes(address: string): Stakes {
  const { data: network } = useQuery(networkQuery);
  const { data: account } = useInfiniteQuery(accountQuery(address));
  const balance = account?.pages[0]?.balance;
  return {
    least: BigInt(network?.params.minimum_stake ?? 0),
    balance: balance === undefined ? undefined : BigInt(balance),
    priorLimit: network?.params.prior_limit ?? 16,
  };
}

function problemOf(uchoir: bigint | undefined, { least, balance }: Stakes): string | undefined {
  if (uchoir === undefined) return "An amount in CHOIR, like 100 or 12.5.";
  if (uchoir < least) return `At least ${choirText(least)} CHOIR.`;
  if (balance !== undefined && uchoir > balance) return `You have ${choirText(balance)} CHOIR.`;
  return undefined;
}

function told({ isSpec }: Kept): { title: string; message: string } {
  return isSpec
    ? { title: "Submitted", message: "The co-authors are asked to vote. You are told what becomes of it." }
    : { title: "Posted", message: "The answer is a message of yours now." };
}
