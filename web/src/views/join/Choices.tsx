import { Button } from "@mantine/core";
import { KeyRound, NotebookPen, Wallet as WalletIcon } from "lucide-react";
import { useEffect, useState } from "react";
import { explain } from "@/api/errors";
import { connectWallet } from "@/keys/account";
import { type Wallet, watchWallets } from "@/keys/wallets";
import classes from "./JoinView.module.css";

export function Choices({ onNew, onRestore }: { onNew: () => void; onRestore: () => void }) {
  return (
    <>
      <h1 className={classes.title}>Join the choir</h1>
      <p className={classes.lead}>
        Your key is your account. It signs what you write, and it stays with you: no node ever has it, and there is no
        password to lose.
      </p>
      <div className={classes.choices}>
        <Button size="lg" leftSection={<KeyRound size={20} />} onClick={onNew} className={classes.primary}>
          Make a key
        </Button>
        <Button size="md" variant="default" leftSection={<NotebookPen size={18} />} onClick={onRestore}>
          I have 24 words
        </Button>
        <Wallets />
      </div>
    </>
  );
}

function Wallets() {
  const [wallets, setWallets] = useState<Wallet[]>([]);
  const [problem, setProblem] = useState<string>();
  useEffect(() => watchWallets(setWallets), []);
  const connect = async (wallet: Wallet): Promise<void> => {
    setProblem(undefined);
    try {
      await connectWallet(wallet);
    } catch (error) {
      setProblem(`${wallet.name} did not connect: ${explain(error)}`);
    }
  };
  return (
    <>
      {wallets.map((wallet) => (
        <Button
          key={wallet.name}
          size="md"
          variant="default"
          leftSection={<WalletSign wallet={wallet} />}
          onClick={() => void connect(wallet)}
        >
          Use {wallet.name}
        </Button>
      ))}
      {wallets.length === 0 && (
        <p className={classes.hint}>A Solana wallet in this browser that signs messages would show up here too.</p>
      )}
      {problem !== undefined && (
        <p className={classes.problem} role="alert">
          {problem}
        </p>
      )}
    </>
  );
}

function WalletSign({ wallet }: { wallet: Wallet }) {
  if (wallet.icon?.startsWith("data:image/") !== true) return <WalletIcon size={18} />;
  return <img src={wallet.icon} alt="" width={18} height={18} />;
}
