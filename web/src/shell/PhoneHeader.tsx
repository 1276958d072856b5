import { UnstyledButton } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import { Search } from "lucide-react";
import { Bell } from "@/notices/Bell";
import { AccountMenu } from "./AccountMenu";
import { Mark } from "./Mark";
import classes from "./PhoneHeader.module.css";
import { openPalette } from "./palette";

/** The head of the app on a phone: search, notices, and who acts. */
export function PhoneHeader() {
  return (
    <header className={classes.header}>
      <Link to="/" className={classes.brand}>
        <Mark size={24} /> Choir
      </Link>
      <UnstyledButton className={classes.button} onClick={openPalette} aria-label="Search or go to">
        <Search size={19} aria-hidden />
      </UnstyledButton>
      <Bell />
      <AccountMenu isSmall />
    </header>
  );
}
