/** What Mantine asks a browser about layout, for tests without one. */
import { vi } from "vitest";

/** Until `vi.unstubAllGlobals`. */
export function stubLayout(): void {
  vi.stubGlobal("matchMedia", () => ({ matches: false, addEventListener: () => {}, removeEventListener: () => {} }));
  vi.stubGlobal(
    "ResizeObserver",
    class {
      observe(): void {}
      unobserve(): void {}
      disconnect(): void {}
    },
  );
}
