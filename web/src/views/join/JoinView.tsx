import { Button } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { ShieldAlert } from "lucide-react";
import { useState } from "react";
import { addKey, useAccount } from "@/keys/account";
import { canSign, type KeyPair } from "@/lib/ed25519";
import { Empty, Loading } from "@/ui/States";
import { Choices } from "./Choices";
import classes from "./JoinView.module.css";
import { NewPhrase } from "./NewPhrase";
import { Ready } from "./Ready";
import { Restore } from "./Restore";

type Step = "choose" | "new" | "restore";

/** From nothing to an account that can write: a key of this browser's, one from a phrase, or a wallet's. */
export function JoinView() {
  const account = useAccount();
  const navigate = useNavigate();
  const [step, setStep] = useState<Step>("choose");
  const support = useQuery({ queryKey: ["can-sign"], queryFn: canSign, staleTime: Number.POSITIVE_INFINITY });
  const keep = async (key: KeyPair): Promise<void> => {
    await addKey(key);
  };
  if (account !== undefined) {
    return (
      <Frame>
        <Ready account={account} onDone={() => void navigate({ to: "/" })} />
      </Frame>
    );
  }
  if (support.data === undefined) return <Loading what="what this browser can do" />;
  if (!support.data) return <NoKeys />;
  return (
    <Frame>
      {step === "choose" && <Choices onNew={() => setStep("new")} onRestore={() => setStep("restore")} />}
      {step === "new" && <NewPhrase onDone={keep} onBack={() => setStep("choose")} />}
      {step === "restore" && <Restore onDone={keep} onBack={() => setStep("choose")} />}
    </Frame>
  );
}

function Frame({ children }: { children: React.ReactNode }) {
  return <div className={classes.frame}>{children}</div>;
}

function NoKeys() {
  return (
    <Empty icon={<ShieldAlert />} title="This browser cannot sign here">
      <p>
        Browsers sign only over HTTPS or on the machine that the node runs on, and need Ed25519 (Chrome 137, Firefox
        129, Safari 17, or newer). Open Choir at its HTTPS address or at 127.0.0.1, or use a newer browser. Reading
        works as it is.
      </p>
      <Button component={Link} to="/threads" variant="default">
        Read threads
      </Button>
    </Empty>
  );
}
