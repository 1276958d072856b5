import { KeyRound } from "lucide-react";
import classes from "./Encrypted.module.css";

/** In the place of a text that was encrypted before it was sent. To whom the node gives what it stores, it is shown as it is. */
export function Encrypted({ text }: { text: string | null }) {
  return (
    <div className={classes.encrypted}>
      <p>
        <KeyRound size={15} aria-hidden /> Encrypted by its author. Only who holds the key reads it, outside of this
        app: it cannot open it.
      </p>
      {text !== null && (
        <details>
          <summary>Show what the node stores</summary>
          <pre dir="ltr">{text}</pre>
        </details>
      )}
    </div>
  );
}
