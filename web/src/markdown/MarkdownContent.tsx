/** Markdown as React elements: no HTML of an author's ever reaches the page, so there is nothing to sanitise away. */
import { type ComponentProps, memo, type ReactNode, useMemo } from "react";
import ReactMarkdown, { type Components } from "react-markdown";
import remarkGfm from "remark-gfm";
import { CodeBlock } from "./CodeBlock";
import { useExtras } from "./extras";
import { OutLink } from "./OutLink";
import { PriorLink } from "./PriorLink";
import { remarkPriors } from "./priors";

export interface MarkdownProps {
  text: string;
  /** What the message cites, in its order: `[1]` in the text is the first of them. */
  priors?: readonly string[];
  /** The message that cites, to come back to. */
  citing?: string;
}

function MarkdownContent({ text, priors = NONE, citing }: MarkdownProps) {
  const extras = useExtras(text);
  const remarkPlugins = useMemo(
    () =>
      [remarkGfm, ...extras.remark, [remarkPriors, priors]] as ComponentProps<typeof ReactMarkdown>["remarkPlugins"],
    [extras, priors],
  );
  const components = useMemo(() => makeComponents(citing), [citing]);
  return (
    <ReactMarkdown remarkPlugins={remarkPlugins} rehypePlugins={extras.rehype} components={components}>
      {text}
    </ReactMarkdown>
  );
}

const NONE: readonly string[] = [];

function makeComponents(citing: string | undefined): Components {
  return {
    a: ({ href = "", children }) => <TextLink href={href} citing={citing} label={children} />,
    // Pictures come from elsewhere, and to load one would tell that place who reads: the link leaves it to the reader.
    img: ({ src, alt }) => <TextLink href={String(src ?? "")} citing={citing} label={alt || "picture"} />,
    // Titles inside a message stand below those of the page.
    h1: ({ children }) => <h3 data-level="1">{children}</h3>,
    h2: ({ children }) => <h4 data-level="2">{children}</h4>,
    h3: ({ children }) => <h5 data-level="3">{children}</h5>,
    h4: ({ children }) => <h6 data-level="4">{children}</h6>,
    h5: ({ children }) => <h6 data-level="4">{children}</h6>,
    pre: ({ children }) => <CodeBlock>{children}</CodeBlock>,
    table: ({ children }) => (
      // Wide tables scroll by themselves, by keyboard too.
      // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable
      <section className="table" tabIndex={0} aria-label="Table">
        <table>{children}</table>
      </section>
    ),
    input: ({ checked, type }) => (
      <input type={type} checked={checked === true} readOnly aria-label={checked ? "done" : "open"} />
    ),
  };
}

function TextLink({ href, citing, label }: { href: string; citing: string | undefined; label: ReactNode }) {
  const prior = /^(?:#prior-|\/message\/|choir:)([0-9a-f]{64})$/.exec(href)?.[1];
  if (prior !== undefined) {
    return (
      <PriorLink hash={prior} citing={citing} isMark={href.startsWith("#prior-")}>
        {label}
      </PriorLink>
    );
  }
  if (!/^(https?:|mailto:)/.test(href)) return <span title={href}>{label}</span>;
  return <OutLink href={href}>{label}</OutLink>;
}

export default memo(MarkdownContent);
