import { makeToggle } from "@/lib/toggle";

/** Whether the list of keyboard shortcuts is open. */
export const help = makeToggle();
