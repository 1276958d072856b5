import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { titleQuery } from "@/api/queries";
import { titleOf } from "@/lib/excerpt";
import { shortHash } from "@/ui/format";

/** A thread by its title, where the reader may know it, with the way to it. */
export function ThreadName({ threadId }: { threadId: string }) {
  const { data } = useQuery(titleQuery(threadId));
  return (
    <Link to="/thread/$threadId" params={{ threadId }} className="link" dir="auto">
      {data == null ? shortHash(threadId) : titleOf({ title: data })}
    </Link>
  );
}
