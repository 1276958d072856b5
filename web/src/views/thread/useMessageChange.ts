import { type MessageView, queryClient, refreshAfter } from "@/api/queries";
import { submit } from "@/api/submit";
import { useOnce } from "@/api/useOnce";
import { useAccount } from "@/keys/account";
import type { Body } from "@/lib/transactions";
import { tell } from "@/ui/notify";

/** Sends what changes a message, says that it is done, and has everything that shows it read again. */
export function useMessageChange(message: MessageView, done: string, onClose: () => void) {
  const account = useAccount();
  return useOnce({
    mutationFn: async (body: Body) => {
      if (account === undefined) throw new Error("Sign in first.");
      await submit(account, body);
      await Promise.all([
        refreshAfter(account.address),
        queryClient.invalidateQueries({ queryKey: ["thread", message.thread_id] }),
        queryClient.invalidateQueries({ queryKey: ["message", message.content_hash] }),
        queryClient.invalidateQueries({ queryKey: ["search"] }),
      ]);
    },
    onSuccess: () => {
      tell(done);
      onClose();
    },
  });
}
