import { UnstyledButton } from "@mantine/core";
import { type ReactNode, useId, useRef, useState } from "react";
import type { Later } from "./later";
import { tellError } from "./notify";

/** What an `Opener` gives to what it opens. */
export interface Opened {
  /** The id of the menu or popover: its target and its dropdown are called after it. */
  id: string;
  target: HTMLElement | null;
  isOpen: boolean;
  onChange: (isOpen: boolean) => void;
}

interface Props {
  opens: Later<Opened>;
  kind: "menu" | "dialog";
  isOpen: boolean;
  onChange: (isOpen: boolean) => void;
  className: string | undefined;
  label?: string;
  children: ReactNode;
}

/** A button whose menu or popover comes when it is opened for the first time. */
export function Opener({ opens, kind, isOpen, onChange, className, label, children }: Props) {
  const id = useId();
  const target = useRef<HTMLButtonElement>(null);
  // It stays for its closing to be seen.
  const [wasShown, setWasShown] = useState(false);
  const Content = opens.use(isOpen || wasShown, (error) => {
    onChange(false);
    tellError("This part of the app did not load", error);
  });
  if (Content !== undefined && !wasShown) setWasShown(true);
  return (
    <>
      <UnstyledButton
        ref={target}
        id={id}
        className={className}
        onClick={() => onChange(!isOpen)}
        aria-haspopup={kind}
        aria-expanded={isOpen}
        aria-controls={isOpen && Content !== undefined ? `${id}-dropdown` : undefined}
        aria-label={label}
      >
        {children}
      </UnstyledButton>
      {Content !== undefined && <Content id={id} target={target.current} isOpen={isOpen} onChange={onChange} />}
    </>
  );
}
