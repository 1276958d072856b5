import { Button } from "@mantine/core";
import { TriangleAlert } from "lucide-react";
import { explain, isMissingPart } from "@/api/errors";
import { Empty } from "@/ui/States";

/** What is shown when a view breaks: what happened, and two ways on. */
export function RouteErrorView({ error, reset }: { error: unknown; reset: () => void }) {
  // A browser does not ask again for a part that did not come; a page that is loaded again does.
  const tryAgain = isMissingPart(error) ? () => window.location.reload() : reset;
  return (
    <div role="alert">
      <Empty icon={<TriangleAlert />} title="This page cannot be shown">
        <p>{explain(error)}</p>
        <Button.Group style={{ justifyContent: "center" }}>
          <Button variant="default" onClick={tryAgain}>
            Try again
          </Button>
          <Button variant="default" component="a" href="/">
            Go to the start
          </Button>
        </Button.Group>
      </Empty>
    </div>
  );
}
