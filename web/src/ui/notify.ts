import { notifications } from "@mantine/notifications";
import { explain } from "@/api/errors";

/** Say in passing that something went well. */
export function tell(message: string): void {
  notifications.show({ message, autoClose: 5000 });
}

/** Say that something failed, and why; it stays a while longer. */
export function tellError(title: string, error: unknown): void {
  notifications.show({ title, message: explain(error), color: "red", autoClose: 12_000 });
}
