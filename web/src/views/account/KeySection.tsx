import { Button, Group, Modal } from "@mantine/core";
import { useNavigate } from "@tanstack/react-router";
import { KeyRound, Trash2 } from "lucide-react";
import { useState } from "react";
import { type Account, forgetKey, signOut } from "@/keys/account";
import { tellError } from "@/ui/notify";
import classes from "./AccountView.module.css";

/** Where the key is, and how to have the browser forget it. */
export function KeySection({ account }: { account: Account }) {
  const [isAsking, setAsking] = useState(false);
  const navigate = useNavigate();
  const forget = async (): Promise<void> => {
    try {
      await forgetKey(account.address);
      await navigate({ to: "/" });
    } catch (error) {
      tellError("The browser did not forget the key", error);
    }
  };
  return (
    <section>
      <h2 className={classes.heading}>Your key</h2>
      <p className="quiet">
        {account.holder === "browser"
          ? "It is in this browser, as a key that pages can use and none can read. Your 24 words bring it back anywhere, also in Solana wallets. Clearing the site's data deletes it."
          : `It is in ${account.holder.wallet}. Choir asks it for signatures, and it asks you.`}
      </p>
      {account.holder === "browser" ? (
        <Button variant="default" size="xs" leftSection={<Trash2 size={15} />} onClick={() => setAsking(true)}>
          Forget it here
        </Button>
      ) : (
        <Button variant="default" size="xs" leftSection={<KeyRound size={15} />} onClick={signOut}>
          Disconnect
        </Button>
      )}
      <Modal opened={isAsking} onClose={() => setAsking(false)} title="Forget the key in this browser?" centered>
        <p>Without your 24 words nobody can use this account again: neither what it owns nor what it wrote.</p>
        <Group justify="flex-end">
          <Button variant="default" data-autofocus onClick={() => setAsking(false)}>
            Keep it
          </Button>
          <Button color="red" onClick={() => void forget()}>
            I have the words: forget it
          </Button>
        </Group>
      </Modal>
    </section>
  );
}
