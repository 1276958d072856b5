import { UnstyledButton } from "@mantine/core";
import { useClipboard } from "@mantine/hooks";
import { Check, Copy } from "lucide-react";
import classes from "./CopyText.module.css";

/** A hash or address, short, that copies itself whole. */
export function CopyText({ text, shown }: { text: string; shown: string }) {
  const { copy, copied } = useClipboard();
  return (
    <UnstyledButton className={classes.copy} onClick={() => copy(text)} title={text}>
      <span className="visually-hidden">Copy </span>
      <bdi>{shown}</bdi>
      {copied ? <Check size={14} aria-hidden /> : <Copy size={14} aria-hidden />}
      <span className="visually-hidden" aria-live="polite">
        {copied && "Copied"}
      </span>
    </UnstyledButton>
  );
}
