import { useEffect, useState } from "react";

/** False in the first rendering: what opens only after it knows where the focus was, and gives it back. */
export function useMounted(): boolean {
  const [isMounted, setMounted] = useState(false);
  useEffect(() => setMounted(true), []);
  return isMounted;
}
