import { Button, Textarea } from "@mantine/core";
import { type FormEvent, useState } from "react";
import { explain } from "@/api/errors";
import { type KeyPair, keyFromSeed } from "@/lib/ed25519";
import classes from "./JoinView.module.css";

interface Props {
  onDone: (key: KeyPair) => Promise<void>;
  onBack: () => void;
}

export function Restore({ onDone, onBack }: Props) {
  const [text, setText] = useState("");
  const [problem, setProblem] = useState<string>();
  const [isBusy, setBusy] = useState(false);

  const restore = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    setBusy(true);
    try {
      const { seedOfTyped } = await import("@/keys/phrase");
      await onDone(await keyFromSeed(await seedOfTyped(text)));
    } catch (error) {
      setProblem(explain(error));
      setBusy(false);
    }
  };

  return (
    <form onSubmit={(event) => void restore(event)}>
      <h1 className={classes.title}>Your 24 words</h1>
      <p className={classes.lead}>
        In their order. They are not sent anywhere: the key is made here. A key of the command line comes too: paste the
        seed that <code>choir key export</code> prints.
      </p>
      <Textarea
        autosize
        minRows={4}
        autoFocus
        autoComplete="off"
        autoCapitalize="off"
        spellCheck={false}
        aria-label="Your 24 words"
        classNames={{ input: classes.phrase ?? "" }}
        value={text}
        error={problem}
        onChange={(event) => {
          setText(event.currentTarget.value);
          setProblem(undefined);
        }}
      />
      <div className={classes.row}>
        <Button type="submit" loading={isBusy} disabled={text.trim() === ""}>
          Bring my key back
        </Button>
        <Button variant="subtle" color="gray" onClick={onBack}>
          Back
        </Button>
      </div>
    </form>
  );
}
