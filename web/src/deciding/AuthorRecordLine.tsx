import { useInfiniteQuery } from "@tanstack/react-query";
import { accountQuery, specsQuery } from "@/api/queries";
import { counted } from "@/ui/format";
import classes from "./Deciding.module.css";
import { recordOf } from "./record";

/** What one can know of an author before deciding: what became of the specs before, and the threads joined. */
export function AuthorRecordLine({ author }: { author: string }) {
  const specs = useInfiniteQuery(specsQuery({ author }));
  const account = useInfiniteQuery(accountQuery(author));
  const page = specs.data?.pages[0];
  if (page === undefined) return <p className={classes.record}>Looking up the author's record…</p>;
  const { approved, denied, expired } = recordOf(page.items);
  const settled = approved + denied + expired;
  const threads = account.data?.pages[0]?.threads.length;
  return (
    <p className={classes.record}>
      {settled === 0 ? (
        "The author's first spec to be decided"
      ) : (
        <>
          <strong>
            {approved} of {settled}
          </strong>{" "}
          {page.next_cursor === null ? "" : "newest "}specs approved
          {denied > 0 && `, ${denied} denied`}
          {expired > 0 && `, ${expired} expired`}
        </>
      )}
      {threads !== undefined && ` · co-author of ${counted(threads, "thread")}`}
    </p>
  );
}
