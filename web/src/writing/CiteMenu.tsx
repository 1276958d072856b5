import { Popover, TextInput, UnstyledButton } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { useQuery } from "@tanstack/react-query";
import { Quote, Search } from "lucide-react";
import { useState } from "react";
import { post } from "@/api/client";
import { explain } from "@/api/errors";
import { type MessageView, searchQuery } from "@/api/queries";
import { beginningOf } from "@/lib/excerpt";
import { Loading } from "@/ui/States";
import classes from "./Composer.module.css";

interface Props {
  /** The draft, for which priors are suggested. */
  text: string;
  chosen: readonly string[];
  onCite: (hash: string) => void;
}

interface Candidate {
  message: MessageView;
  title: string | null;
}

const TYPING_MS = 250;
const SHOWN = 8;

/** Finds what to cite: what fits the draft, or what one looks for. */
export function CiteMenu({ text, chosen, onCite }: Props) {
  const [isOpen, setOpen] = useState(false);
  return (
    <Popover opened={isOpen} onChange={setOpen} width={400} position="top-start" shadow="md" trapFocus withinPortal>
      <Popover.Target>
        <UnstyledButton className={classes.tool} onClick={() => setOpen(!isOpen)}>
          <Quote size={16} aria-hidden /> <span className={classes.label}>Cite</span>
        </UnstyledButton>
      </Popover.Target>
      <Popover.Dropdown aria-label="Find a message to cite">
        {isOpen && (
          <Finder
            text={text}
            chosen={chosen}
            onCite={(hash) => {
              setOpen(false);
              onCite(hash);
            }}
          />
        )}
      </Popover.Dropdown>
    </Popover>
  );
}

function Finder({ text, chosen, onCite }: Props) {
  const [typed, setTyped] = useState("");
  const [q] = useDebouncedValue(typed.trim(), TYPING_MS);
  const suggested = useQuery({
    queryKey: ["suggest", text],
    queryFn: ({ signal }) => post("/v1/priors/suggest", { body: { text, k: SHOWN }, signal }),
    enabled: q === "" && text.trim() !== "",
  });
  const found = useQuery(searchQuery({ q, k: SHOWN }));
  const current = q === "" ? suggested : found;
  const candidates: Candidate[] = q === "" ? (suggested.data ?? []) : (found.data?.hits ?? []);
  const fresh = candidates.filter(({ message }) => !chosen.includes(message.content_hash));
  return (
    <>
      <TextInput
        data-autofocus
        type="search"
        aria-label="Search for a message to cite"
        placeholder="Search, or take what fits your draft"
        leftSection={<Search size={16} />}
        value={typed}
        onChange={(event) => setTyped(event.currentTarget.value)}
      />
      {current.isFetching && fresh.length === 0 && <Loading lines={3} what="messages" />}
      {current.error !== null && <p className="quiet">{explain(current.error)}</p>}
      {!current.isFetching && current.error === null && fresh.length === 0 && (
        <p className="quiet">
          {q === "" && text.trim() === "" ? "Write something first, or search." : "Nothing found."}
        </p>
      )}
      <ul className={classes.found}>
        {fresh.map(({ message, title }) => (
          <li key={message.content_hash}>
            <UnstyledButton className={classes.suggestion} onClick={() => onCite(message.content_hash)}>
              <small dir="auto">{title}</small>
              <span dir="auto">{beginningOf(message.text, 180)}</span>
            </UnstyledButton>
          </li>
        ))}
      </ul>
    </>
  );
}
