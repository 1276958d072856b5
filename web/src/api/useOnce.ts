import { type UseMutationOptions, type UseMutationResult, useMutation } from "@tanstack/react-query";
import { useRef } from "react";

type Options<Result, Variables> = Omit<UseMutationOptions<Result, Error, Variables>, "onSettled">;
type Shown<Result, Variables> = Pick<UseMutationResult<Result, Error, Variables>, "error" | "isPending" | "variables">;

interface Once<Result, Variables> extends Shown<Result, Variables> {
  mutate: (variables: Variables) => void;
}

/**
 * A mutation that is not begun again while it is under way. A button says that it is busy only once the page is drawn
 * again: on a slow machine a second press comes before that, and would sign and send a second time.
 */
export function useOnce<Result, Variables = void>(options: Options<Result, Variables>): Once<Result, Variables> {
  const isBusy = useRef(false);
  const { mutateAsync, error, isPending, variables } = useMutation(options);
  const mutate = (given: Variables): void => {
    if (isBusy.current) return;
    isBusy.current = true;
    mutateAsync(given)
      // It is shown: it is the mutation's state.
      .catch(() => undefined)
      .finally(() => {
        isBusy.current = false;
      });
  };
  return { mutate, error, isPending, variables };
}
