import { toasts, toastsShown } from "./notify";

/** Place for what is said in passing, from the first time that something is. */
export function ToastsLater() {
  const Toasts = toasts.use(toastsShown.use(), ignore);
  return Toasts === undefined ? null : <Toasts />;
}

/** Who had something to say has been told. */
function ignore(): void {}
