import { Button } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import { Compass } from "lucide-react";
import { Empty } from "@/ui/States";

export function NotFoundView() {
  return (
    <Empty icon={<Compass />} title="No page has this address">
      <p>The link may be cut off, or from another version of Choir.</p>
      <Button component={Link} to="/">
        Go to the start
      </Button>
    </Empty>
  );
}
