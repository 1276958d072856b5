import { toasts, toastsShown } from "./notify";

/** Place for what is said in passing, from the first time that something is. */
export function ToastsLater() {
  // If it does not come, `show` says so on the console.
  const Toasts = toasts.use(toastsShown.use());
  return Toasts === undefined ? null : <Toasts />;
}
