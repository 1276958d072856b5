import { useState } from "react";
import { OptionsDialog } from "./OptionsDialog";
import { closePalette, takeEarlyKeys } from "./palette";
import { usePaletteOptions } from "./paletteOptions";

/** Places, threads by their title, commands, and messages by words and meaning. */
export function PaletteDialog() {
  const [typed, setTyped] = useState("");
  const groups = usePaletteOptions(typed);
  return (
    <OptionsDialog
      label="Search or go to"
      placeholder="Search or go to…"
      typed={typed}
      onType={setTyped}
      groups={groups}
      takeEarlyKeys={takeEarlyKeys}
      onClose={closePalette}
    />
  );
}
