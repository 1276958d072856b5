"""Which of the messages found are given to the model, under which ids, and how much of each.

At most ``MAX_PER_THREAD`` are of one thread, because one long thread would else speak for the whole network. Where the
search finds few threads, the best of the left-out ones fill up to ``ENOUGH``. A thread that the question names may give
``MAX_PER_NAMED_THREAD``, and its messages come first. Equal texts are given once.
"""

import re
from collections import Counter
from collections.abc import Sequence
from typing import Final

import msgspec

from choir.chorus.events import PriorView
from choir.chorus.ports import ContextMessage, Done
from choir.chorus.sentences import Sentence, split_sentences
from choir.chorus.steps import Action, Update

SEARCH_LIMIT: Final = 48
MAX_PER_SEARCH: Final = 12
MAX_PRIORS: Final = 24
MAX_PER_THREAD: Final = 3
MAX_PER_NAMED_THREAD: Final = 6
ENOUGH: Final = 6
MAX_PRIOR_CHARACTERS: Final = 3_000
MAX_CONTEXT_CHARACTERS: Final = 12_000
MAX_CONTEXT_MESSAGE_CHARACTERS: Final = 2_000
MAX_QUERY_CHARACTERS: Final = 4_000
_MAX_QUERY_RESPONSE_CHARACTERS: Final = 1_000
_WORD: Final = re.compile(r"[^\W_]{3,}")
# What names a thing in a question: a word with digits in it, such as the 4844 of EIP-4844.
_NAME: Final = re.compile(r"[^\W_]*\d[^\W_]*")
CUT: Final = "…"


def find_names(question: str) -> tuple[str, ...]:
    """The names in a question as they are written, each once: ``EIP-4844``. A number alone is one too."""
    words = re.findall(r"[^\W_]+(?:-[^\W_]+)*", question)
    return tuple(dict.fromkeys(word for word in words if _NAME.search(word)))


def is_named(title: str | None, question: str) -> bool:
    """Whether the first name in a thread's title is in the question: it is what the thread is about."""
    first = _NAME.search(title or "")
    return first is not None and first[0].casefold() in {name.casefold() for name in _NAME.findall(question)}


def search_query(prompt: str, transcript: Sequence[Done]) -> str:
    """The question with the newest first answer and the refinements. An answer of no confidence adds nothing."""
    parts = [prompt]
    actions = [done.output for done in transcript if isinstance(done.output, Action)]
    if actions and actions[-1].confidence > 0:
        parts.append(cut_text(actions[-1].initial_response, _MAX_QUERY_RESPONSE_CHARACTERS))
    updates = [done.output for done in transcript if isinstance(done.output, Update)]
    if updates:
        parts += updates[-1].refinements
    return "\n".join(parts)[:MAX_QUERY_CHARACTERS]


def choose_priors(
    found: Sequence[PriorView], given: Sequence[PriorView], *, first_id: int, question: str
) -> tuple[PriorView, ...]:
    """The new ones of a search's result, best first, with ids from ``first_id`` on and texts cut to the budget."""
    hashes = {prior.content_hash for prior in given}
    texts = {_fold(prior.text) for prior in given}
    per_thread = Counter(prior.thread_id for prior in given)
    wanted = min(MAX_PER_SEARCH, MAX_PRIORS - len(given))
    chosen: list[tuple[int, PriorView]] = []
    left_out: list[tuple[int, PriorView]] = []
    ordered = sorted(found, key=lambda prior: not is_named(prior.title, question))
    for rank, prior in enumerate(ordered):
        text = _fold(prior.text)
        if not text or prior.content_hash in hashes or text in texts:
            continue
        hashes.add(prior.content_hash)
        texts.add(text)
        most = MAX_PER_NAMED_THREAD if is_named(prior.title, question) else MAX_PER_THREAD
        if per_thread[prior.thread_id] >= most:
            left_out.append((rank, prior))
        elif len(chosen) < wanted:
            per_thread[prior.thread_id] += 1
            chosen.append((rank, prior))
    chosen += left_out[: max(0, min(ENOUGH - len(given), wanted) - len(chosen))]
    return tuple(
        msgspec.structs.replace(prior, id=f"p{first_id + place}", text=cut_to_question(prior.text, question))
        for place, (_, prior) in enumerate(sorted(chosen, key=lambda ranked: ranked[0]))
    )


def fit_context(messages: Sequence[ContextMessage]) -> tuple[ContextMessage, ...]:
    """The newest messages of the thread that fit the budget, oldest first."""
    fitting: list[ContextMessage] = []
    left = MAX_CONTEXT_CHARACTERS
    for message in reversed(messages):
        text = cut_text(message.text, MAX_CONTEXT_MESSAGE_CHARACTERS)
        left -= len(text)
        if left < 0:
            break
        fitting.append(msgspec.structs.replace(message, text=text))
    return tuple(reversed(fitting))


def cut_text(text: str, limit: int) -> str:
    """At most ``limit`` characters from the beginning, to the end of a sentence, else of a word."""
    if len(text) <= limit:
        return text
    ends = [sentence.end for sentence in split_sentences(text[: limit - 2]) if sentence.end <= limit - 4]
    head = text[: ends[-1]] if ends and ends[-1] > limit // 2 else text[: limit - 2].rsplit(None, 1)[0]
    return f"{head.rstrip()} {CUT}"


def cut_to_question(text: str, question: str, limit: int = MAX_PRIOR_CHARACTERS) -> str:
    """At most ``limit`` characters of a long text: the run of sentences that holds most of the question's words."""
    if len(text) <= limit:
        return text
    sentences = split_sentences(text)
    words = {word.casefold() for word in _WORD.findall(question)}
    start, end = _best_window(sentences, words, limit - 4)
    if start == 0:
        return cut_text(text, limit)
    return f"{CUT} {text[start:end].rstrip()}{f' {CUT}' if end < len(text) else ''}"


def _best_window(sentences: Sequence[Sentence], words: set[str], limit: int) -> tuple[int, int]:
    """Where to cut: the earliest of the best windows, from a sentence with one of the words on. (0, 0) where the text
    has no sentences, or its beginning is as good as any."""
    weights = [len(words & {word.casefold() for word in _WORD.findall(one.plain)}) for one in sentences]
    best, window, total, last = 0, (0, 0), 0, 0
    for first, sentence in enumerate(sentences):
        while last < len(sentences) and sentences[last].end - sentence.start <= limit:
            total += weights[last]
            last += 1
        if total > best and (weights[first] or not first):
            best, window = total, (sentence.start if first else 0, sentences[last - 1].end)
        if last > first:
            total -= weights[first]
        else:
            last = first + 1
    return window


def _fold(text: str) -> str:
    return " ".join(text.casefold().split())
