import type { NotificationData } from "@mantine/notifications";
import { explain } from "@/api/errors";
import { makeToggle } from "@/lib/toggle";
import { later } from "./later";

export const toasts = later(async () => (await import("./Toasts")).Toasts);
/** Whether anything was said yet. */
export const toastsShown = makeToggle();

/** Say in passing that something went well. */
export function tell(message: string, title?: string): void {
  show({ ...(title === undefined ? {} : { title }), message, autoClose: 5000 });
}

/** Say that something failed, and why; it stays a while longer. */
export function tellError(title: string, error: unknown): void {
  show({ title, message: explain(error), color: "red", autoClose: 12_000 });
}

function show(data: NotificationData): void {
  toastsShown.set(true);
  import("@mantine/notifications").then(
    ({ notifications }) => notifications.show(data),
    (error: unknown) => console.warn("not shown:", data.title, data.message, error),
  );
}
