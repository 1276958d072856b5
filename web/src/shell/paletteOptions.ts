/** What the palette offers for what is typed. */
import { useDebouncedValue } from "@mantine/hooks";
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { AudioLines, FileText, MessageSquare, Search } from "lucide-react";
import { searchQuery, threadsQuery } from "@/api/queries";
import { beginningOf } from "@/lib/excerpt";
import { useCommands } from "./commands";
import { NAVIGATION } from "./navigation";
import type { Option, OptionGroup } from "./OptionList";

const TYPING_MS = 200;
const THREADS_SHOWN = 5;
const HITS_SHOWN = 5;

/** What is known here first; what the node finds comes below it, so that nothing moves when it comes. */
export function usePaletteOptions(typed: string): readonly OptionGroup[] {
  const words = typed.trim();
  const matches = (label: string): boolean => label.toLowerCase().includes(words.toLowerCase());
  const groups = [
    { label: "Go to", options: usePlaces().filter(({ label }) => matches(label)) },
    {
      label: "Threads",
      options: useTitled()
        .filter(({ label }) => matches(label))
        .slice(0, THREADS_SHOWN),
    },
    { label: "Do", options: useDoings().filter(({ label }) => matches(label)) },
    { label: "Look further", options: useQuestions(words) },
    { label: "Messages", options: useHits(words) },
  ];
  return groups.filter(({ options }) => options.length > 0);
}

function usePlaces(): readonly Option[] {
  const navigate = useNavigate();
  return NAVIGATION.map(({ to, label, icon }) => ({ id: to, label, icon, run: () => void navigate({ to }) }));
}

function useTitled(): readonly Option[] {
  const navigate = useNavigate();
  const { data } = useInfiniteQuery(threadsQuery());
  const threads = data?.pages.flatMap((page) => page.items) ?? [];
  return threads.flatMap(({ thread_id, title }) =>
    title === null
      ? []
      : [
          {
            id: thread_id,
            label: title,
            icon: MessageSquare,
            run: () => void navigate({ to: "/thread/$threadId", params: { threadId: thread_id } }),
          },
        ],
  );
}

function useDoings(): readonly Option[] {
  return useCommands().map(({ does, icon, keys, run }) => ({
    id: does,
    label: does,
    icon,
    run,
    ...(keys === undefined ? {} : { keys }),
  }));
}

function useQuestions(words: string): readonly Option[] {
  const navigate = useNavigate();
  if (words === "") return [];
  return [
    {
      id: "ask",
      label: `Ask the chorus: “${words}”`,
      icon: AudioLines,
      run: () => void navigate({ to: "/runs", search: { q: words } }),
    },
    {
      id: "search",
      label: `Search for “${words}”`,
      icon: Search,
      run: () => void navigate({ to: "/search", search: { q: words } }),
    },
  ];
}

function useHits(words: string): readonly Option[] {
  const navigate = useNavigate();
  const [settled] = useDebouncedValue(words, TYPING_MS);
  const { data } = useQuery(searchQuery({ q: settled, k: HITS_SHOWN }));
  if (words === "" || settled === "") return [];
  return (data?.hits ?? []).map(({ message, title }) => ({
    id: message.content_hash,
    label: beginningOf(message.text, 90),
    icon: FileText,
    run: () => void navigate({ to: "/message/$hash", params: { hash: message.content_hash } }),
    ...(title == null ? {} : { description: title }),
  }));
}
