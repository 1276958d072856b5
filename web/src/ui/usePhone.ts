import { useMediaQuery } from "@mantine/hooks";

const PHONE = "(max-width: 48em)";

/** Whether the window is as narrow as a phone. */
export function useIsPhone(): boolean {
  return useMediaQuery(PHONE, window.matchMedia(PHONE).matches, { getInitialValueInEffect: false });
}
