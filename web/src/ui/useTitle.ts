import { useEffect } from "react";
import { withoutMarks } from "@/lib/excerpt";

/** The window's title while a view is shown. */
export function useTitle(title: string | null | undefined): void {
  useEffect(() => {
    document.title = title == null ? "Choir" : `${withoutMarks(title)} – Choir`;
    return () => {
      document.title = "Choir";
    };
  }, [title]);
}
