import { describe, expect, it } from "vitest";
import { nearestSnap, steppedSnap } from "@/ui/snaps";
import { swipeOf } from "@/ui/swipe";

describe("a bottom sheet", () => {
  it.each([
    [0, 0, 0],
    [24, 0, 0],
    [26, 0, 50],
    [60, 0, 50],
    [70, 0, 85],
    // A flick carries on.
    [10, 0.3, 50],
    [80, -0.3, 50],
    [55, -0.5, 0],
  ])("let go at %d %% with speed %d rests at %d", (at, speed, rest) => {
    expect(nearestSnap(at, speed)).toBe(rest);
  });

  it("is moved by keys, as far as it goes", () => {
    expect([steppedSnap(0, 1), steppedSnap(50, 1), steppedSnap(85, 1), steppedSnap(50, -2), steppedSnap(0, 2)]).toEqual(
      [50, 85, 85, 0, 85],
    );
  });
});

describe("a swipe", () => {
  it.each([
    [-80, 10, false, 1],
    [80, 10, false, -1],
    [-80, 10, true, -1],
    [-20, 0, false, 0],
    [-80, 70, false, 0],
  ])("of %d across and %d along (right to left: %s) is %d", (across, along, isRightToLeft, by) => {
    expect(swipeOf(across, along, isRightToLeft)).toBe(by);
  });
});
