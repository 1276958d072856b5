import { choirText, formatChoir } from "@/lib/amounts";

/** CHOIR with at most two decimals; all six in the title. */
export function Amount({ uchoir, unit = true }: { uchoir: bigint | string; unit?: boolean }) {
  return (
    <span className="number" title={`${choirText(BigInt(uchoir))} CHOIR`}>
      {formatChoir(uchoir)}
      {unit && " CHOIR"}
    </span>
  );
}
