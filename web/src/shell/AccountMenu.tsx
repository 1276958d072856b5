import { Menu, SegmentedControl, UnstyledButton, useMantineColorScheme } from "@mantine/core";
import { useInfiniteQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { ChevronsUpDown, CircleUserRound, Keyboard, KeyRound, LogOut, Network, UserRound } from "lucide-react";
import { accountQuery } from "@/api/queries";
import { type Account, signOut, switchAccount, useAccountState } from "@/keys/account";
import { Amount } from "@/ui/Amount";
import { Avatar } from "@/ui/Avatar";
import { shortAddress } from "@/ui/format";
import classes from "./AccountMenu.module.css";
import { help } from "./help";

/** Who acts, with the way to their page, to other accounts, and between light and dark. `isSmall`: only their sign. */
export function AccountMenu({ isSmall = false }: { isSmall?: boolean }) {
  const { active, held } = useAccountState();
  const navigate = useNavigate();
  const addAnother = (): void => {
    signOut();
    void navigate({ to: "/join" });
  };
  return (
    <Menu position={isSmall ? "bottom-end" : "top-start"} width={248} shadow="md" withinPortal>
      <Menu.Target>
        {isSmall ? (
          <UnstyledButton className={classes.button} aria-label="Account and settings">
            {active === undefined ? (
              <CircleUserRound size={22} aria-hidden />
            ) : (
              <Avatar address={active.address} size={24} />
            )}
          </UnstyledButton>
        ) : (
          <UnstyledButton className={classes.button}>
            {active === undefined ? <Nobody /> : <Somebody account={active} />}
            <ChevronsUpDown size={15} aria-hidden />
          </UnstyledButton>
        )}
      </Menu.Target>
      <Menu.Dropdown>
        {active !== undefined && (
          <Menu.Item
            leftSection={<UserRound size={16} />}
            onClick={() => navigate({ to: "/account/$address", params: { address: active.address } })}
          >
            Your account
          </Menu.Item>
        )}
        {held
          .filter((address) => address !== active?.address)
          .map((address) => (
            <Menu.Item
              key={address}
              leftSection={<Avatar address={address} size={18} />}
              onClick={() => switchAccount(address)}
            >
              Use {shortAddress(address)}
            </Menu.Item>
          ))}
        <Menu.Item leftSection={<KeyRound size={16} />} onClick={addAnother}>
          {active === undefined ? "Join: make or bring a key" : "Use another key"}
        </Menu.Item>
        {active !== undefined && (
          <Menu.Item leftSection={<LogOut size={16} />} onClick={signOut}>
            Read signed out
          </Menu.Item>
        )}
        {isSmall ? (
          <Menu.Item leftSection={<Network size={16} />} onClick={() => navigate({ to: "/network" })}>
            Network
          </Menu.Item>
        ) : (
          <Menu.Item leftSection={<Keyboard size={16} />} onClick={() => help.set(true)}>
            Keyboard shortcuts
          </Menu.Item>
        )}
        <Menu.Divider />
        <div className={classes.scheme}>
          <SchemeControl />
        </div>
      </Menu.Dropdown>
    </Menu>
  );
}

function Nobody() {
  return (
    <>
      <span className={classes.sign}>
        <UserRound size={16} aria-hidden />
      </span>
      <span className={classes.name}>
        Signed out <small>You read as everybody</small>
      </span>
    </>
  );
}

function Somebody({ account }: { account: Account }) {
  const { data } = useInfiniteQuery(accountQuery(account.address));
  const balance = data?.pages[0]?.balance;
  return (
    <>
      <Avatar address={account.address} size={30} />
      <span className={classes.name}>
        <bdi>{shortAddress(account.address)}</bdi>
        <small>{balance === undefined ? "…" : <Amount uchoir={balance} />}</small>
      </span>
    </>
  );
}

function SchemeControl() {
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  return (
    <SegmentedControl
      fullWidth
      size="xs"
      aria-label="Colours"
      value={colorScheme}
      onChange={(value) => setColorScheme(value as typeof colorScheme)}
      data={[
        { value: "auto", label: "System" },
        { value: "light", label: "Light" },
        { value: "dark", label: "Dark" },
      ]}
    />
  );
}
