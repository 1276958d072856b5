import { ActionIcon, Tooltip } from "@mantine/core";
import { useClipboard } from "@mantine/hooks";
import { Check, Copy } from "lucide-react";
import { type ReactNode, useRef } from "react";
import classes from "./Markdown.module.css";

/** Code with a button that copies it. It scrolls by itself, by keyboard too. */
export function CodeBlock({ children }: { children: ReactNode }) {
  const block = useRef<HTMLPreElement>(null);
  const { copy, copied } = useClipboard();
  return (
    <div className={classes.code} dir="ltr">
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable */}
      <pre ref={block} tabIndex={0}>
        {children}
      </pre>
      <Tooltip label={copied ? "Copied" : "Copy"}>
        <ActionIcon
          className={classes.copy}
          variant="default"
          size="sm"
          aria-label="Copy the code"
          onClick={() => copy(block.current?.textContent ?? "")}
        >
          {copied ? <Check size={14} /> : <Copy size={14} />}
        </ActionIcon>
      </Tooltip>
    </div>
  );
}
