import { Button } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import { AudioLines } from "lucide-react";
import { signIn, useSession } from "@/api/session";
import { useAccount } from "@/keys/account";
import { Empty } from "@/ui/States";

/** Questions belong to an account. */
export function SignInToAsk() {
  const session = useSession();
  const account = useAccount();
  if (session.is === "failed" && account !== undefined) {
    return (
      <Empty icon={<AudioLines size={28} />} title="You are not signed in">
        <p>{session.reason}</p>
        <Button variant="default" onClick={() => void signIn(account)}>
          Sign in again
        </Button>
      </Empty>
    );
  }
  return (
    <Empty icon={<AudioLines size={28} />} title="Ask the chorus">
      <p>
        It searches what you may read, answers in six steps, and cites what it found. Questions belong to an account, so
        that only you see them: make one first, it takes a minute.
      </p>
      <Button component={Link} to="/">
        Make an account
      </Button>
    </Empty>
  );
}
