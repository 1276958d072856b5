import { Button } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { Droplets } from "lucide-react";
import { post } from "@/api/client";
import { refreshAfter } from "@/api/queries";
import { formatChoir } from "@/lib/amounts";
import { tell, tellError } from "./notify";

/** Development chains only: fills the wallet of an account up. */
export function FaucetButton({ address, size = "sm" }: { address: string; size?: "sm" | "md" }) {
  const faucet = useMutation({
    mutationFn: () => post("/v1/faucet", { body: { address } }),
    onSuccess: async ({ amount }) => {
      tell(`You got ${formatChoir(amount)} development CHOIR.`);
      await refreshAfter(address);
    },
    onError: (error) => tellError("The faucet gave nothing", error),
  });
  return (
    <Button size={size} leftSection={<Droplets size={17} />} loading={faucet.isPending} onClick={() => faucet.mutate()}>
      Get development CHOIR
    </Button>
  );
}
