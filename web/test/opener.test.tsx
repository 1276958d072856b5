// @vitest-environment jsdom
import { MantineProvider, Menu } from "@mantine/core";
import { cleanup, fireEvent, render, screen, waitFor } from "@testing-library/react";
import { type ComponentType, useState } from "react";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Anchor } from "@/ui/Anchor";
import { type Later, later } from "@/ui/later";
import { type Opened, Opener } from "@/ui/Opener";
import { useMounted } from "@/ui/useMounted";
import { stubLayout } from "./layout";

function Items({ id, target, isOpen, onChange }: Opened) {
  const isMounted = useMounted();
  return (
    <Menu id={id} opened={isMounted && isOpen} onChange={onChange} transitionProps={{ duration: 0 }}>
      <Menu.Target>
        <Anchor element={target} />
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Item>Leave</Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}

function Shown({ opens }: { opens: Later<Opened> }) {
  const [isOpen, setOpen] = useState(false);
  return (
    <MantineProvider>
      <Opener opens={opens} kind="menu" isOpen={isOpen} onChange={setOpen} className="">
        Account
      </Opener>
    </MantineProvider>
  );
}

describe("a menu that comes when it is opened", () => {
  beforeEach(stubLayout);
  afterEach(() => {
    cleanup();
    vi.unstubAllGlobals();
  });

  const button = (): HTMLElement => screen.getByRole("button", { name: "Account" });

  it("is that of its button, which keeps its place and its focus", async () => {
    const load = vi.fn(async () => Items as ComponentType<Opened>);
    render(<Shown opens={later(load)} />);
    const before = button();
    expect(load).not.toHaveBeenCalled();
    expect(before.getAttribute("aria-expanded")).toBe("false");
    before.focus();
    fireEvent.click(before);
    const menu = await screen.findByRole("menu");
    expect(button()).toBe(before);
    expect(before.getAttribute("aria-expanded")).toBe("true");
    expect(before.getAttribute("aria-controls")).toBe(menu.id);
    expect(menu.getAttribute("aria-labelledby")).toBe(before.id);
    fireEvent.keyDown(menu, { key: "Escape" });
    await waitFor(() => expect(screen.queryByRole("menu")).toBeNull());
    await waitFor(() => expect(document.activeElement).toBe(before));
    fireEvent.click(before);
    expect(await screen.findByText("Leave")).toBeTruthy();
    expect(load).toHaveBeenCalledOnce();
  });

  it("closes when its code does not come, and is asked for again", async () => {
    const load = vi
      .fn<() => Promise<ComponentType<Opened>>>()
      .mockRejectedValueOnce(new Error("no node"))
      .mockResolvedValueOnce(Items);
    render(<Shown opens={later(load)} />);
    fireEvent.click(button());
    await waitFor(() => expect(button().getAttribute("aria-expanded")).toBe("false"));
    fireEvent.click(button());
    expect(await screen.findByRole("menu")).toBeTruthy();
  });
});
