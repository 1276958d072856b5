import { refreshAfter } from "@/api/queries";
import { submit } from "@/api/submit";
import { useOnce } from "@/api/useOnce";
import type { Account } from "@/keys/account";
import type { Body } from "@/lib/transactions";
import { tell } from "@/ui/notify";

/** Signs and sends something of the account's, says that it is done, and closes its dialog. */
export function useAction(account: Account, done: string, onClose: () => void) {
  return useOnce({
    mutationFn: async (body: Body) => {
      await submit(account, body);
      await refreshAfter(account.address, "thread_id" in body ? body.thread_id : undefined);
    },
    onSuccess: () => {
      tell(done);
      onClose();
    },
  });
}
