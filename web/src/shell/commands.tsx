import { Kbd, useComputedColorScheme, useMantineColorScheme } from "@mantine/core";
import { useNavigate } from "@tanstack/react-router";
import { Bell, CheckCheck, Keyboard, type LucideIcon, PenLine, SunMoon } from "lucide-react";
import { useAccount } from "@/keys/account";
import { bell } from "@/notices/bellState";
import { markAllRead } from "@/notices/store";
import { help } from "./help";

export interface Command {
  does: string;
  icon: LucideIcon;
  /** The keys that do it too. */
  keys?: string;
  run: () => void;
}

/** What the palette can do besides going somewhere. */
export function useCommands(): readonly Command[] {
  const navigate = useNavigate();
  const { setColorScheme } = useMantineColorScheme();
  const hasAccount = useAccount() !== undefined;
  const isDark = useComputedColorScheme("light", { getInitialValueInEffect: false }) === "dark";
  const own: Command[] = [
    { does: "Begin a thread", icon: PenLine, keys: "n", run: () => void navigate({ to: "/new" }) },
    { does: "Open the notifications", icon: Bell, keys: "b", run: () => bell.set(true) },
    { does: "Mark all notifications as read", icon: CheckCheck, run: markAllRead },
  ];
  return [
    ...(hasAccount ? own : []),
    {
      does: isDark ? "Use light colours" : "Use dark colours",
      icon: SunMoon,
      run: () => setColorScheme(isDark ? "light" : "dark"),
    },
    { does: "Show the keyboard shortcuts", icon: Keyboard, keys: "?", run: () => help.set(true) },
  ];
}

export function Keys({ of }: { of: string | undefined }) {
  return of === undefined ? null : <Kbd size="xs">{of}</Kbd>;
}
