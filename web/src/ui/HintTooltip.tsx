import { Tooltip } from "@mantine/core";
import type { ReactElement } from "react";

export function HintTooltip({ label, children }: { label: string; children: ReactElement }) {
  return (
    <Tooltip label={label} multiline maw={260}>
      {children}
    </Tooltip>
  );
}
