import { Notifications } from "@mantine/notifications";
import "@mantine/notifications/styles.layer.css";

/** Where what is said in passing appears. */
export function Toasts() {
  return <Notifications position="bottom-right" containerWidth={380} />;
}
