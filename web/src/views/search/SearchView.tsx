import { TextInput } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { Search, SearchX } from "lucide-react";
import { useEffect, useMemo, useState } from "react";
import { type HitView, type SearchFilter, searchQuery } from "@/api/queries";
import { beginningOf, titleOf, withoutTitle } from "@/lib/excerpt";
import { formatShare } from "@/ui/format";
import { Page } from "@/ui/Page";
import { Person } from "@/ui/Person";
import { PrivacyBadge } from "@/ui/PrivacyBadge";
import { Empty, Failure, Loading } from "@/ui/States";
import { Time } from "@/ui/Time";
import { Filters } from "./Filters";
import classes from "./SearchView.module.css";

const TYPING_MS = 300;
const HITS = 30;
const DAY_MS = 86_400_000;
const DAYS = { week: 7, month: 30, year: 365 };

export function SearchView() {
  const parameters = useSearch({ from: "/search" });
  const { q = "", author, thread, age } = parameters;
  const navigate = useNavigate();
  const [typed, setTyped] = useState(q);
  const [settled] = useDebouncedValue(typed, TYPING_MS);
  useEffect(() => setTyped(q), [q]);
  useEffect(() => {
    if (settled === typed && settled !== q) {
      void navigate({ to: "/search", search: (old) => ({ ...old, q: settled }), replace: true });
    }
  }, [settled, typed, q, navigate]);
  const since_ms = useMemo(() => (age === undefined ? undefined : Date.now() - DAYS[age] * DAY_MS), [age]);
  const filter: SearchFilter = {
    q,
    k: HITS,
    ...(author ? { author } : {}),
    ...(thread ? { thread_id: thread } : {}),
    ...(since_ms === undefined ? {} : { since_ms }),
  };
  return (
    <Page title="Search">
      <search>
        <TextInput
          size="md"
          type="search"
          autoFocus
          aria-label="What to look for"
          placeholder="Words, or what you mean by them"
          leftSection={<Search size={18} />}
          value={typed}
          onChange={(event) => setTyped(event.currentTarget.value)}
        />
        <Filters parameters={parameters} />
      </search>
      <Hits filter={filter} />
    </Page>
  );
}

function Hits({ filter }: { filter: SearchFilter }) {
  const { data, error, refetch, isFetching } = useQuery({ ...searchQuery(filter), placeholderData: (old) => old });
  if (filter.q === "") {
    return (
      <Empty icon={<Search />} title="Search everything that you may read">
        <p>By words and by meaning: “who decides what joins a thread” finds texts that say it in other words.</p>
      </Empty>
    );
  }
  if (error !== null) return <Failure error={error} onRetry={() => void refetch()} what="The search" />;
  if (data === undefined) return <Loading what="what was found" lines={8} />;
  if (data.hits.length === 0) {
    return (
      <Empty icon={<SearchX />} title="Nothing found">
        <p>Try fewer or other words. What others keep private is never searched.</p>
      </Empty>
    );
  }
  return (
    <>
      {!data.vectors_used && (
        <p className={classes.note}>Searched by words only: the search by meaning is not ready yet.</p>
      )}
      {data.query_cut && <p className={classes.note}>This is too long for a search: only its beginning was used.</p>}
      <ol className={classes.hits} aria-busy={isFetching}>
        {data.hits.map((hit) => (
          <Hit key={hit.message.content_hash} hit={hit} />
        ))}
      </ol>
    </>
  );
}

function Hit({ hit: { message, title, similarity } }: { hit: HitView }) {
  return (
    <li className={classes.hit}>
      <Link to="/message/$hash" params={{ hash: message.content_hash }} className={classes.title} dir="auto">
        {titleOf({ title })}
      </Link>
      <p className={classes.text} dir="auto">
        {beginningOf(withoutTitle(message.text ?? "", title), 280)}
      </p>
      <div className={classes.facts}>
        <Person address={message.author} size={18} />
        <Time ms={message.created_at_ms} />
        <PrivacyBadge level={message.privacy} quiet />
        {similarity !== null && <span className="number">{formatShare(Math.max(0, similarity))} similar</span>}
      </div>
    </li>
  );
}
