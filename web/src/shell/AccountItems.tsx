import { Menu, SegmentedControl, useMantineColorScheme } from "@mantine/core";
import { useNavigate } from "@tanstack/react-router";
import { Keyboard, KeyRound, LogOut, Network, UserRound } from "lucide-react";
import { signOut, switchAccount, useAccountState } from "@/keys/account";
import { Anchor } from "@/ui/Anchor";
import { Avatar } from "@/ui/Avatar";
import { shortAddress } from "@/ui/format";
import type { Opened } from "@/ui/Opener";
import { useMounted } from "@/ui/useMounted";
import classes from "./AccountMenu.module.css";
import { help } from "./help";

export function AccountItems(opened: Opened) {
  return <Items {...opened} isSmall={false} />;
}

export function SmallAccountItems(opened: Opened) {
  return <Items {...opened} isSmall />;
}

function Items({ id, target, isOpen, onChange, isSmall }: Opened & { isSmall: boolean }) {
  const { active, held } = useAccountState();
  const navigate = useNavigate();
  const isMounted = useMounted();
  const addAnother = (): void => {
    signOut();
    void navigate({ to: "/join" });
  };
  return (
    <Menu
      id={id}
      opened={isMounted && isOpen}
      onChange={onChange}
      position={isSmall ? "bottom-end" : "top-start"}
      width={248}
      shadow="md"
      withinPortal
    >
      <Menu.Target>
        <Anchor element={target} />
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
