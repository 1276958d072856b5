// @vitest-environment jsdom
import { MantineProvider } from "@mantine/core";
import { cleanup, fireEvent, render, screen } from "@testing-library/react";
import { Circle } from "lucide-react";
import { useState } from "react";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Option } from "@/shell/OptionList";
import { OptionsDialog } from "@/shell/OptionsDialog";
import { indexOf, moved, type Selection } from "@/shell/selection";
import { stepsOf, TypeAhead, written } from "@/shell/typeAhead";
import { stubLayout } from "./layout";

describe("a selection", () => {
  it("is the first of a list until something is chosen", () => {
    expect(indexOf(undefined, ["a", "b"])).toBe(0);
    expect(indexOf(undefined, [])).toBe(-1);
  });

  it.each([
    [undefined, "ArrowDown", "b"],
    [{ id: "c", index: 2 }, "ArrowDown", "a"],
    [undefined, "ArrowUp", "c"],
    [{ id: "b", index: 1 }, "Home", "a"],
    [{ id: "b", index: 1 }, "End", "c"],
    [{ id: "b", index: 1 }, "x", undefined],
  ] as const)("%o and then %s is %s", (before, key, after) => {
    expect(moved(before, ["a", "b", "c"], key)?.id).toBe(after);
  });

  it("stays with what it is on when the list changes, and in the list when that is gone", () => {
    const selection: Selection = { id: "b", index: 1 };
    expect(indexOf(selection, ["new", "a", "b"])).toBe(2);
    expect(indexOf(selection, ["a", "c", "d"])).toBe(1);
    expect(indexOf(selection, ["a"])).toBe(0);
    expect(indexOf(selection, [])).toBe(-1);
    expect(moved(selection, [], "ArrowDown")).toBeUndefined();
  });
});

describe("keys before the field", () => {
  const press = (key: string, more: KeyboardEventInit = {}): boolean =>
    window.dispatchEvent(new KeyboardEvent("keydown", { key, cancelable: true, ...more }));

  it("are kept in order, and meant for nothing else", () => {
    const elsewhere = vi.fn();
    window.addEventListener("keydown", elsewhere);
    const ahead = new TypeAhead(() => undefined);
    ahead.start();
    const keys = ["n", "é", "Backspace", "ArrowDown", "😀", "Enter"];
    expect(keys.map((key) => press(key))).toEqual(keys.map(() => false));
    expect(press("Tab")).toBe(false);
    expect(press("@", { ctrlKey: true, altKey: true, modifierAltGraph: true })).toBe(false);
    expect(elsewhere).not.toHaveBeenCalled();
    expect(ahead.take()).toEqual([...keys, "@"]);
    expect(ahead.take()).toEqual([]);
    expect(press("n")).toBe(true);
    expect(elsewhere).toHaveBeenCalledOnce();
    window.removeEventListener("keydown", elsewhere);
  });

  it("leave combinations, other keys and words that are being composed alone", () => {
    const ahead = new TypeAhead(() => undefined);
    ahead.start();
    expect([press("r", { ctrlKey: true }), press("F5"), press("ni", { isComposing: true }), press("Process")]).toEqual([
      true,
      true,
      true,
      true,
    ]);
    expect(ahead.take()).toEqual([]);
  });

  it("call the whole thing off with Escape", () => {
    const onEscape = vi.fn();
    const ahead = new TypeAhead(onEscape);
    ahead.start();
    press("Escape");
    expect(onEscape).toHaveBeenCalledOnce();
    ahead.take();
  });

  it("make steps, and texts", () => {
    expect(stepsOf(["a", "b", "Backspace", "End", "ArrowUp", "Enter", "c"]).map(({ is, keys }) => [is, keys])).toEqual([
      ["written", ["a", "b", "Backspace"]],
      ["moving", ["End", "ArrowUp"]],
      ["enter", ["Enter"]],
      ["written", ["c"]],
    ]);
    expect(written("a😀", ["Backspace", "Backspace", "Backspace", "é"])).toBe("é");
  });
});

describe("the palette", () => {
  const runs = vi.fn();
  const closes = vi.fn();
  const option = (label: string): Option => ({ id: label, label, icon: Circle, run: () => runs(label) });
  const ALL = ["Home", "Network", "Neighbours"];

  function Palette({ early = [] }: { early?: readonly string[] }) {
    const [typed, setTyped] = useState("");
    const found = ALL.filter((label) => label.toLowerCase().includes(typed.toLowerCase()));
    return (
      <MantineProvider>
        <OptionsDialog
          label="Search or go to"
          placeholder=""
          typed={typed}
          onType={setTyped}
          groups={found.length === 0 ? [] : [{ label: "Go to", options: found.map(option) }]}
          takeEarlyKeys={() => early}
          onClose={closes}
        />
      </MantineProvider>
    );
  }

  const field = (): HTMLInputElement => screen.getByRole("combobox", { name: "Search or go to" });
  /** What a screen reader says is selected, by both ways of saying so. */
  const selected = (): string | undefined => {
    const marked = screen.queryAllByRole("option", { selected: true });
    expect(marked.map(({ id }) => id)).toEqual(
      [field().getAttribute("aria-activedescendant")].filter((id) => id !== null),
    );
    return marked[0]?.textContent ?? undefined;
  };

  beforeEach(stubLayout);
  afterEach(() => {
    cleanup();
    vi.unstubAllGlobals();
    runs.mockClear();
    closes.mockClear();
  });

  it("has the focus in its field, and the first option selected", () => {
    render(<Palette />);
    expect(document.activeElement).toBe(field());
    expect(field().getAttribute("aria-expanded")).toBe("true");
    expect(field().getAttribute("aria-controls")).toBe(screen.getByRole("listbox").id);
    expect(screen.getByRole("group", { name: "Go to" })).toBeTruthy();
    expect(selected()).toBe("Home");
  });

  it("is moved and answered by keys", () => {
    render(<Palette />);
    fireEvent.keyDown(field(), { key: "ArrowUp" });
    expect(selected()).toBe("Neighbours");
    fireEvent.change(field(), { target: { value: "ne" } });
    expect(selected()).toBe("Network");
    fireEvent.keyDown(field(), { key: "End" });
    fireEvent.keyDown(field(), { key: "Enter" });
    expect(runs.mock.calls).toEqual([["Neighbours"]]);
    expect(closes).toHaveBeenCalledOnce();
    expect(closes.mock.invocationCallOrder[0]).toBeLessThan(runs.mock.invocationCallOrder[0] ?? 0);
  });

  it("is answered by the mouse, which takes no focus", () => {
    render(<Palette />);
    const row = screen.getByRole("option", { name: "Network" });
    fireEvent.mouseMove(row);
    expect(selected()).toBe("Network");
    expect(fireEvent.mouseDown(row)).toBe(false);
    fireEvent.click(row);
    expect(runs.mock.calls).toEqual([["Network"]]);
  });

  it("leaves keys to an input method that is at work", () => {
    render(<Palette />);
    fireEvent.keyDown(field(), { key: "ArrowDown", isComposing: true });
    fireEvent.keyDown(field(), { key: "Enter", isComposing: true });
    fireEvent.keyDown(field(), { key: "Enter", keyCode: 229 });
    expect(selected()).toBe("Home");
    expect(runs).not.toHaveBeenCalled();
  });

  it("does what was typed before it was there", () => {
    render(<Palette early={["n", "x", "Backspace", "e", "ArrowDown", "Enter"]} />);
    expect(runs.mock.calls).toEqual([["Neighbours"]]);
  });

  it("shows what was typed before it was there, however many keys", () => {
    render(<Palette early={["n", "e", "t", ...Array.from({ length: 200 }, () => "ArrowDown")]} />);
    expect(field().value).toBe("net");
    expect(selected()).toBe("Network");
  });

  it("does nothing where nothing is found", () => {
    render(<Palette early={["q", "Enter"]} />);
    expect(field().getAttribute("aria-expanded")).toBe("false");
    expect(selected()).toBeUndefined();
    expect(runs).not.toHaveBeenCalled();
    expect(closes).not.toHaveBeenCalled();
  });
});
