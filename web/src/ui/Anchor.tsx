import { type Ref, useLayoutEffect } from "react";

interface Props {
  element: HTMLElement | null;
  ref?: Ref<HTMLElement>;
}

/** In the place of a menu's target: the button that was on the page before the menu's code. Shows nothing itself. */
export function Anchor({ element, ref }: Props) {
  useLayoutEffect(() => {
    assign(ref, element);
    return () => assign(ref, null);
  }, [ref, element]);
  return null;
}

function assign(ref: Ref<HTMLElement> | undefined, element: HTMLElement | null): void {
  if (typeof ref === "function") ref(element);
  else if (ref) ref.current = element;
}
