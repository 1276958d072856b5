import { makeToggle } from "@/lib/toggle";

/** Whether the list of notices is open. */
export const bell = makeToggle();
