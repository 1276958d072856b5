import { Button, Checkbox } from "@mantine/core";
import { useClipboard } from "@mantine/hooks";
import { Check, Copy } from "lucide-react";
import { useEffect, useRef, useState } from "react";
import { explain } from "@/api/errors";
import { type KeyPair, keyFromSeed } from "@/lib/ed25519";
import { Loading } from "@/ui/States";
import classes from "./JoinView.module.css";

interface Props {
  onDone: (key: KeyPair) => Promise<void>;
  onBack: () => void;
}

/** Makes the words, shows them this once, and turns them into a key that cannot be read out again. */
export function NewPhrase({ onDone, onBack }: Props) {
  const phrase = useRef("");
  const [words, setWords] = useState<string[]>([]);
  const [isWritten, setWritten] = useState(false);
  const [isBusy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string>();
  const { copy, copied } = useClipboard();

  useEffect(() => {
    let isGone = false;
    void import("@/keys/phrase").then(({ newPhrase }) => {
      if (isGone) return;
      phrase.current = newPhrase();
      setWords(phrase.current.split(" "));
    });
    return () => {
      isGone = true;
      phrase.current = "";
    };
  }, []);

  const finish = async (): Promise<void> => {
    setBusy(true);
    try {
      const { seedOfPhrase } = await import("@/keys/phrase");
      await onDone(await keyFromSeed(await seedOfPhrase(phrase.current)));
    } catch (error) {
      setProblem(`The browser did not keep the key: ${explain(error)}`);
      setBusy(false);
    }
  };

  if (words.length === 0) return <Loading what="your words" />;
  return (
    <>
      <h1 className={classes.title}>Write these words down</h1>
      <p className={classes.lead}>
        They are your key, on paper. They are shown this once. Whoever has them is you; if this browser forgets your
        key, only they bring it back.
      </p>
      <ol className={classes.words} translate="no">
        {words.map((word, i) => (
          <li key={i}>{word}</li>
        ))}
      </ol>
      <div className={classes.row}>
        <Button
          variant="subtle"
          size="compact-sm"
          leftSection={copied ? <Check size={15} /> : <Copy size={15} />}
          onClick={() => copy(phrase.current)}
        >
          {copied ? "Copied" : "Copy"}
        </Button>
        <span className={classes.hint}>The clipboard can be read by other programs: paper is safer.</span>
      </div>
      <Checkbox
        className={classes.confirm}
        checked={isWritten}
        onChange={(event) => setWritten(event.currentTarget.checked)}
        label="I have written the words down"
      />
      {problem !== undefined && (
        <p className={classes.problem} role="alert">
          {problem}
        </p>
      )}
      <div className={classes.row}>
        <Button disabled={!isWritten} loading={isBusy} onClick={() => void finish()}>
          Start
        </Button>
        <Button variant="subtle" color="gray" onClick={onBack}>
          Back
        </Button>
      </div>
    </>
  );
}
