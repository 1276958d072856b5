/** Marks like `[2]` in a text become links to what the message cites. Code and links are left alone. */
import type { PhrasingContent, Root, RootContent } from "mdast";

const MARK = /\[\^?p?(\d{1,2})\]/g;

/** A remark plugin. `priors` are the hashes that `[1]`, `[2]`, … stand for; a mark beyond them stays text. */
export function remarkPriors(priors: readonly string[]): (tree: Root) => void {
  return (tree) => {
    if (priors.length > 0) visit(tree, priors);
  };
}

function visit(node: { children: RootContent[] }, priors: readonly string[]): void {
  node.children = node.children.flatMap((child): RootContent[] => {
    if (child.type === "text") return split(child.value, priors);
    if ("children" in child && child.type !== "link" && child.type !== "linkReference") {
      visit(child as { children: RootContent[] }, priors);
    }
    return [child];
  });
}

function split(text: string, priors: readonly string[]): PhrasingContent[] {
  const parts: PhrasingContent[] = [];
  let at = 0;
  for (const match of text.matchAll(MARK)) {
    const hash = priors[Number(match[1]) - 1];
    if (hash === undefined) continue;
    if (match.index > at) parts.push({ type: "text", value: text.slice(at, match.index) });
    parts.push({ type: "link", url: `#prior-${hash}`, children: [{ type: "text", value: String(Number(match[1])) }] });
    at = match.index + match[0].length;
  }
  if (at < text.length) parts.push({ type: "text", value: text.slice(at) });
  return parts;
}
