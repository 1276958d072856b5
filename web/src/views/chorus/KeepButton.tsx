import { Button } from "@mantine/core";
import { BookmarkPlus } from "lucide-react";
import { lazy, Suspense, useState } from "react";
import type { RunDetail } from "@/chorus/events";

const KeepDialog = lazy(() => import("./KeepDialog"));

/** The way from an answer to a message. Only an answer that is all there can be kept. */
export function KeepButton({ detail }: { detail: RunDetail }) {
  const [isOpen, setIsOpen] = useState(false);
  if (detail.answer === null || detail.is_withheld) return null;
  return (
    <>
      <Button size="xs" leftSection={<BookmarkPlus size={15} />} onClick={() => setIsOpen(true)}>
        Keep
      </Button>
      {isOpen && (
        <Suspense>
          <KeepDialog detail={detail} onClose={() => setIsOpen(false)} />
        </Suspense>
      )}
    </>
  );
}
