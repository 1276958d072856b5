/** Whom proofs trust: the validators of the genesis, and that it is the one that this browser met first. */
import { genesisQuery, queryClient } from "@/api/queries";
import type { Json } from "@/lib/canonical";
import { hashOf } from "@/lib/hashing";

export interface Trust {
  readonly chainId: string;
  readonly genesisHash: string;
  readonly validators: readonly string[];
  /** The hash that this browser remembers of the chain, where it is another one. */
  readonly remembered?: string;
}

const PREFIX = "choir.genesis.";

/** Reads the genesis, calculates its hash here, and compares it with the one met first. */
export async function findTrust(): Promise<Trust> {
  const genesis = await queryClient.ensureQueryData(genesisQuery);
  const genesisHash = await hashOf(genesis as unknown as Json);
  const key = PREFIX + genesis.chain_id;
  const remembered = localStorage.getItem(key);
  if (remembered === null) localStorage.setItem(key, genesisHash);
  const trust = { chainId: genesis.chain_id, genesisHash, validators: genesis.validators };
  return remembered === null || remembered === genesisHash ? trust : { ...trust, remembered };
}

/** Take the genesis that the node has now for the right one from here on. */
export function trustFromNowOn({ chainId, genesisHash }: Trust): void {
  localStorage.setItem(PREFIX + chainId, genesisHash);
}
