import type { ReactElement } from "react";
import { later } from "./later";

interface Props {
  label: string;
  children: ReactElement;
}

const tooltip = later<Props>(async () => (await import("./HintTooltip")).HintTooltip);

/** Words that show while one points at something; they come after it. */
export function Hint({ label, children }: Props) {
  // What it explains is there without it.
  const Tooltip = tooltip.use(true);
  return Tooltip === undefined ? children : <Tooltip label={label}>{children}</Tooltip>;
}
