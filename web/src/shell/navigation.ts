/** The places that every page leads to. A new view is added here, in `router.tsx`, and nowhere else. */
import { AudioLines, Gavel, House, type LucideIcon, MessagesSquare, Network } from "lucide-react";
import type { ComponentType } from "react";
import { AwaitingCount } from "./AwaitingCount";

interface Place {
  to: "/" | "/threads" | "/runs" | "/approvals" | "/network";
  label: string;
  icon: LucideIcon;
  /** How many things wait there. */
  Count?: ComponentType;
}

export const NAVIGATION: readonly Place[] = [
  { to: "/", label: "Home", icon: House },
  { to: "/threads", label: "Threads", icon: MessagesSquare },
  { to: "/runs", label: "Ask", icon: AudioLines },
  { to: "/approvals", label: "Decisions", icon: Gavel, Count: AwaitingCount },
  { to: "/network", label: "Network", icon: Network },
];
