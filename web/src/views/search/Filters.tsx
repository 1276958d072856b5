import { SegmentedControl, UnstyledButton } from "@mantine/core";
import { useNavigate } from "@tanstack/react-router";
import { X } from "lucide-react";
import type { ReactNode } from "react";
import { ThreadName } from "@/deciding/ThreadName";
import { Person } from "@/ui/Person";
import { AGES, type SearchParameters } from "./parameters";
import classes from "./SearchView.module.css";

const ANY = "any";
const AGE_LABELS = { week: "Week", month: "Month", year: "Year" };

/** What the search is narrowed to: an age, a thread, an author. */
export function Filters({ parameters }: { parameters: SearchParameters }) {
  const navigate = useNavigate();
  const change = (next: SearchParameters): void => void navigate({ to: "/search", search: next, replace: true });
  const { author, thread, age, ...rest } = parameters;
  return (
    <div className={classes.filters}>
      <SegmentedControl
        size="xs"
        aria-label="How old it may be"
        value={age ?? ANY}
        onChange={(value) => {
          const chosen = AGES.find((known) => known === value);
          const { age: _, ...others } = parameters;
          change(chosen === undefined ? others : { ...others, age: chosen });
        }}
        data={[{ value: ANY, label: "Any time" }, ...AGES.map((value) => ({ value, label: AGE_LABELS[value] }))]}
      />
      {thread !== undefined && (
        <Filter
          label="Search in all threads"
          onDrop={() => change({ ...rest, ...(author ? { author } : {}), ...(age ? { age } : {}) })}
        >
          in <ThreadName threadId={thread} />
        </Filter>
      )}
      {author !== undefined && (
        <Filter
          label="Search by everybody"
          onDrop={() => change({ ...rest, ...(thread ? { thread } : {}), ...(age ? { age } : {}) })}
        >
          by <Person address={author} size={18} />
        </Filter>
      )}
    </div>
  );
}

function Filter({ label, onDrop, children }: { label: string; onDrop: () => void; children: ReactNode }) {
  return (
    <span className={classes.filter}>
      {children}
      <UnstyledButton className={classes.drop} aria-label={label} onClick={onDrop}>
        <X size={15} aria-hidden />
      </UnstyledButton>
    </span>
  );
}
