import { describe, expect, it } from "vitest";
import { beginningOf, titleOf, withoutTitle } from "@/lib/excerpt";

describe("excerpts", () => {
  it("are plain words", () => {
    expect(beginningOf("# Title\n\n> *One* `two` [three](http://x) ![four](y)\n\n- five\n```js\nsix()\n```")).toBe(
      "Title – One two three four five",
    );
    expect(beginningOf("See [2] and [p3].\n\n$$\\frac{a}{b}$$\n\nIt holds, says [this](http://x) [1].")).toBe(
      "See [2] and [3]. … It holds, says this [1].",
    );
    expect(beginningOf("Hold $E = \\tfrac12 m$ or $x + 1$; it costs $5 or $6.")).toBe(
      "Hold … or x + 1; it costs $5 or $6.",
    );
    expect(beginningOf("# Only a title\n")).toBe("Only a title");
  });

  it("leave tables out", () => {
    expect(beginningOf("Before.\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\nAfter.")).toBe("Before. After.");
  });

  it("end where they are cut", () => {
    expect(beginningOf("abc ".repeat(200), 10)).toBe("abc abc ab…");
    expect(beginningOf(null)).toBe("");
  });

  it("titles have no marks, and what has none is private", () => {
    expect(titleOf({ title: "Create `eth_chainId`" })).toBe("Create eth_chainId");
    expect(titleOf({ title: null })).toBe("Private thread");
  });

  it("a title is not said twice, but nothing else is dropped", () => {
    expect(withoutTitle("# Bees\n\nThey dance.", "Bees")).toBe("They dance.");
    expect(withoutTitle("# Bees", "Bees")).toBe("# Bees");
    expect(withoutTitle("Bees\n\nThey dance.", "Bees")).toBe("Bees\n\nThey dance.");
    expect(withoutTitle("# Wasps\n\nThey sting.", "Bees")).toBe("# Wasps\n\nThey sting.");
  });
});
