import { useDebouncedValue } from "@mantine/hooks";
import { Spotlight } from "@mantine/spotlight";
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { AudioLines, FileText, MessageSquare, Search } from "lucide-react";
import { useState } from "react";
import { searchQuery, threadsQuery } from "@/api/queries";
import { beginningOf } from "@/lib/excerpt";
import { Keys, useCommands } from "./commands";
import { NAVIGATION } from "./navigation";

const TYPING_MS = 200;
const THREADS_SHOWN = 5;
const HITS_SHOWN = 5;

/** Everything by keyboard: places, threads by their title, and messages by words and meaning. */
export function CommandPalette() {
  const [typed, setTyped] = useState("");
  const [settled] = useDebouncedValue(typed.trim(), TYPING_MS);
  const navigate = useNavigate();
  const { data: threads } = useInfiniteQuery(threadsQuery());
  const { data: found } = useQuery(searchQuery({ q: settled, k: HITS_SHOWN }));
  const matches = (words: string): boolean => words.toLowerCase().includes(typed.trim().toLowerCase());
  const places = NAVIGATION.filter(({ label }) => matches(label));
  const titled = (threads?.pages.flatMap((page) => page.items) ?? [])
    .filter(({ title }) => title !== null && matches(title))
    .slice(0, THREADS_SHOWN);
  const commands = useCommands().filter(({ does }) => matches(does));
  const hits = settled === "" ? [] : (found?.hits ?? []);
  return (
    <Spotlight.Root query={typed} onQueryChange={setTyped} shortcut="mod + K" scrollable maxHeight={440}>
      <Spotlight.Search
        placeholder="Search or go to…"
        aria-label="Search or go to"
        leftSection={<Search size={18} />}
      />
      <Spotlight.ActionsList>
        {places.length > 0 && (
          <Spotlight.ActionsGroup label="Go to">
            {places.map(({ to, label, icon: Icon }) => (
              <Spotlight.Action
                key={to}
                label={label}
                leftSection={<Icon size={18} />}
                onClick={() => void navigate({ to })}
              />
            ))}
          </Spotlight.ActionsGroup>
        )}
        {titled.length > 0 && (
          <Spotlight.ActionsGroup label="Threads">
            {titled.map(({ thread_id, title }) => (
              <Spotlight.Action
                key={thread_id}
                label={title ?? ""}
                leftSection={<MessageSquare size={18} />}
                onClick={() => void navigate({ to: "/thread/$threadId", params: { threadId: thread_id } })}
              />
            ))}
          </Spotlight.ActionsGroup>
        )}
        {hits.length > 0 && (
          <Spotlight.ActionsGroup label="Messages">
            {hits.map(({ message, title }) => (
              <Spotlight.Action
                key={message.content_hash}
                label={beginningOf(message.text, 90)}
                description={title ?? ""}
                leftSection={<FileText size={18} />}
                onClick={() => void navigate({ to: "/message/$hash", params: { hash: message.content_hash } })}
              />
            ))}
          </Spotlight.ActionsGroup>
        )}
        {commands.length > 0 && (
          <Spotlight.ActionsGroup label="Do">
            {commands.map(({ does, run, keys, icon: Icon }) => (
              <Spotlight.Action
                key={does}
                label={does}
                leftSection={<Icon size={18} />}
                rightSection={<Keys of={keys} />}
                onClick={run}
              />
            ))}
          </Spotlight.ActionsGroup>
        )}
        {typed.trim() !== "" && (
          <Spotlight.Action
            label={`Ask the chorus: “${typed.trim()}”`}
            leftSection={<AudioLines size={18} />}
            onClick={() => void navigate({ to: "/runs", search: { q: typed.trim() } })}
          />
        )}
        {typed.trim() !== "" && (
          <Spotlight.Action
            label={`Search for “${typed.trim()}”`}
            leftSection={<Search size={18} />}
            onClick={() => void navigate({ to: "/search", search: { q: typed.trim() } })}
          />
        )}
      </Spotlight.ActionsList>
    </Spotlight.Root>
  );
}
