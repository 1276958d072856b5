import { useQuery } from "@tanstack/react-query";
import { Link, useSearch } from "@tanstack/react-router";
import { X } from "lucide-react";
import { titleQuery } from "@/api/queries";
import { useSession } from "@/api/session";
import { Loading } from "@/ui/States";
import { useTitle } from "@/ui/useTitle";
import { AskBox } from "./AskBox";
import classes from "./AskView.module.css";
import { RunList } from "./RunList";
import { SignInToAsk } from "./SignInToAsk";

/** Where questions are asked, and those that were. */
export function AskView() {
  useTitle("Ask");
  const { thread, q } = useSearch({ from: "/runs" });
  const session = useSession();
  if (session.is === "signing-in") return <Loading what="your questions" />;
  if (session.is !== "signed-in") return <SignInToAsk />;
  return (
    <div className={classes.view}>
      <h1 className={classes.title}>Ask the chorus</h1>
      <p className={classes.lead}>
        It searches what you may read, answers in six steps, and cites what it found. Only you see your questions.
      </p>
      <AskBox
        key={q}
        initial={q}
        threadId={thread}
        scope={thread === undefined ? undefined : <Scope threadId={thread} />}
      />
      <section className={classes.runs}>
        <h2>Your questions</h2>
        <RunList />
      </section>
    </div>
  );
}

function Scope({ threadId }: { threadId: string }) {
  const { data: title } = useQuery(titleQuery(threadId));
  return (
    <span className={classes.scope}>
      In the light of <bdi>{title ?? "this thread"}</bdi>
      <Link to="/runs" aria-label="Ask without the thread" className={classes.drop}>
        <X size={14} />
      </Link>
    </span>
  );
}
