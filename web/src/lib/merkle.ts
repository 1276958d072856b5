/** RFC 6962 Merkle paths, as blocks use them: leaf prefix 00, inner prefix 01, split at the largest power of two. */
import type { Bytes } from "./bytes";
import { sha256Prefixed } from "./hashing";

/** The root that `leaf` at `index` of `total` leads to along `path` (from the leaf up). Throws for a path of another length. */
export async function rootFromPath(
  leaf: Uint8Array,
  index: number,
  total: number,
  path: readonly Uint8Array[],
): Promise<Bytes> {
  if (!Number.isSafeInteger(index) || index < 0 || index >= total) throw new Error(`no leaf ${index} among ${total}`);
  const turns = turnsTo(index, total);
  if (turns.length !== path.length) throw new Error(`the path has ${path.length} hashes, not ${turns.length}`);
  let node = await sha256Prefixed(0, leaf);
  for (const sibling of path) {
    const isLeft = turns.pop();
    node = await (isLeft ? sha256Prefixed(1, node, sibling) : sha256Prefixed(1, sibling, node));
  }
  return node;
}

/** From the root down: whether the leaf is in the left subtree at each step. */
function turnsTo(index: number, total: number): boolean[] {
  const turns: boolean[] = [];
  while (total > 1) {
    const middle = splitPoint(total);
    turns.push(index < middle);
    if (index < middle) {
      total = middle;
    } else {
      index -= middle;
      total -= middle;
    }
  }
  return turns;
}

function splitPoint(count: number): number {
  let middle = 1;
  while (middle * 2 < count) middle *= 2;
  return middle;
}
