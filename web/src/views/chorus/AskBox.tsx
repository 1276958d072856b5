import { ActionIcon, Textarea } from "@mantine/core";
import { useNavigate } from "@tanstack/react-router";
import { ArrowUp } from "lucide-react";
import { type KeyboardEvent, type ReactNode, useState } from "react";
import { explain } from "@/api/errors";
import { renewSessionAfter } from "@/api/session";
import { useOnce } from "@/api/useOnce";
import { startRun } from "@/chorus/watching";
import { formatCount } from "@/ui/format";
import classes from "./AskBox.module.css";

const MOST_CHARACTERS = 8192;

interface Props {
  initial: string | undefined;
  /** The thread in whose light is asked. */
  threadId: string | undefined;
  scope: ReactNode;
}

/** The field for a question. Enter asks, Shift-Enter begins a line. */
export function AskBox({ initial = "", threadId, scope }: Props) {
  const [prompt, setPrompt] = useState(initial);
  const navigate = useNavigate();
  const { mutate, isPending, error } = useOnce({
    mutationFn: () => startRun(prompt.trim(), threadId),
    onSuccess: (runId) => navigate({ to: "/runs/$runId", params: { runId } }),
    onError: renewSessionAfter,
  });
  const canAsk = prompt.trim() !== "" && prompt.length <= MOST_CHARACTERS && !isPending;
  const ask = (): void => {
    if (canAsk) mutate();
  };
  const press = (event: KeyboardEvent): void => {
    // While a word is being composed (Japanese, Chinese), Enter only ends the word.
    if (event.key !== "Enter" || event.shiftKey || event.nativeEvent.isComposing) return;
    event.preventDefault();
    ask();
  };
  return (
    <form
      className={classes.box}
      onSubmit={(event) => {
        event.preventDefault();
        ask();
      }}
    >
      <Textarea
        variant="unstyled"
        autosize
        minRows={2}
        maxRows={10}
        autoFocus
        dir="auto"
        aria-label="Your question"
        placeholder="What would you like to know?"
        value={prompt}
        onChange={(event) => setPrompt(event.currentTarget.value)}
        onKeyDown={press}
        classNames={{ input: classes.input ?? "" }}
      />
      <div className={classes.foot}>
        {scope}
        {prompt.length > MOST_CHARACTERS * 0.9 && (
          <span className={classes.count} data-over={prompt.length > MOST_CHARACTERS || undefined}>
            {formatCount(prompt.length)} of {formatCount(MOST_CHARACTERS)} characters
          </span>
        )}
        <ActionIcon
          type="submit"
          size="lg"
          radius="xl"
          aria-label="Ask"
          loading={isPending}
          disabled={!canAsk}
          className={classes.send}
        >
          <ArrowUp size={18} />
        </ActionIcon>
      </div>
      {error !== null && (
        <p className={classes.problem} role="alert">
          {explain(error)}
        </p>
      )}
    </form>
  );
}
