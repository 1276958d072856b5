"""Summaries for those who may not read the text: design/memory.md, "Privacy".

``summarise_limited`` (premium content, for others) quotes a few short fragments. A *word* is a run of
characters between white space, or one ideograph, kana, Hangul syllable or emoji, so that scripts without
spaces leak no more than others. What a summary may give away, checked by ``is_leaking`` on what is served:

- no run of more than 8 words, nor of more than 48 characters, in common with its source: white space, case
  and format characters aside, with and without punctuation, so that neighbouring fragments count as one run;
- no word of more than 24 characters (a link, a key, a hash, an unbroken string);
- at most a fifth of the source's words and of its characters, at most 240 characters, and fewer bytes.

A text too short to be quoted within these limits has the empty summary. An extract shows words the author
wrote: whoever minds that chooses the level ``thread``, whose summary depends on the rough length alone.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import dropwhile, takewhile
from typing import Any, Final

MAX_RUN_WORDS: Final = 8
MAX_RUN_CHARACTERS: Final = 48
MAX_WORD_CHARACTERS: Final = 24
MAX_SUMMARY_CHARACTERS: Final = 240
SOURCE_PER_SUMMARY: Final = 5

# About twice as many as fit, so that a candidate that must be passed over has a replacement.
_CANDIDATE_LIMIT: Final = 12
# Near-duplicate sentences: fragments that share more words in a row than this are taken for one.
_SHARED_WORDS_LIMIT: Final = 2
_MIN_WORDS: Final = 3
# Every character that East Asian Width (UAX 11) calls wide, and its blocks: ideographs, kana, Hangul, emoji.
_WIDE: Final = (
    "\u1100-\u11ff\u2300-\u2bff\u2e80-\u2fff\u3003-\ua4cf\ua960-\ua97f\uac00-\ud7ff\uf900-\ufaff\ufe10-\ufe1f"
    "\ufe30-\ufe6f\uff66-\uffdc\U00016fe0-\U00018fff\U0001aff0-\U0001b2ff\U0001d300-\U0001d37f"
    "\U0001f000-\U0001faff\U00020000-\U0003ffff"
)
_WORD = re.compile(f"[{_WIDE}][\ufe00-\ufe0f]?|[^\\s{_WIDE}]+")
_SENTENCE_END = re.compile(r"[.!?。！？؟।…]['\")\]»”’」]*$")

# A blank line, or a line that opens a heading, list item, quotation, table row or code block in Markdown.
_BLOCK_START = re.compile(r"\n\s*\n|\n\s*[-#*>|`]")


@dataclass(frozen=True, slots=True)
class MinimalSummary:
    """Who, when, how long: all that others learn of a message of level ``thread``."""

    author: str
    created_at_ms: int
    at_most_characters: int


def summarise_minimal(author: str, created_at_ms: int, characters: int) -> MinimalSummary:
    """The minimal summary of a text of that many ``characters``, rounded up to a power of two from 64 on.

    Rounded, because the exact length would tell "yes" from "no". It never sees the text.
    """
    return MinimalSummary(author, created_at_ms, max(64, 1 << (characters - 1).bit_length()))


def summarise_limited(text: str) -> str:
    """Up to 240 characters quoted from ``text``, parted by " … "; "" where any quotation says too much.

    The same text always has the same summary. It costs most for the longest text: store it beside the record.
    """
    source = _Source(text)
    chosen: list[_Fragment] = []
    for candidate in _rank_fragments(source):
        if any(candidate.overlaps(other) for other in chosen):
            continue
        tried = sorted([*chosen, candidate], key=lambda fragment: fragment.start)
        if not source.is_leaked_by(_join_fragments(tried)):
            chosen = tried
    return _join_fragments(chosen)


def is_leaking(summary: str, text: str) -> bool:
    """Whether ``summary`` breaks one of the limits above against ``text``. The empty summary never does."""
    return _Source(text).is_leaked_by(summary)


@dataclass(frozen=True, slots=True)
class _Fragment:
    start: int
    text: str
    words: tuple[str, ...]

    def overlaps(self, other: "_Fragment") -> bool:
        """Whether the two could be pieced together: they share a run, or one begins as the other ends."""
        size = min(_SHARED_WORDS_LIMIT + 1, len(self.words), len(other.words))
        return (
            not _windows(self.words, size).isdisjoint(_windows(other.words, size))
            or any(self.words[-count:] == other.words[:count] for count in range(1, size))
            or any(other.words[-count:] == self.words[:count] for count in range(1, size))
        )


class _Folded:
    """The words of a text in the form in which runs are compared, and all its runs that would be too long."""

    def __init__(self, text: str, keeps_punctuation: bool) -> None:
        self.words = tuple(_fold_words(text, keeps_punctuation))
        self.characters = "".join(self.words)
        self.word_runs = _windows(self.words, MAX_RUN_WORDS + 1)
        self.character_runs = _windows(self.characters, MAX_RUN_CHARACTERS + 1)

    def is_leaked_by(self, summary: "_Folded") -> bool:
        return (
            len(summary.words) * SOURCE_PER_SUMMARY > len(self.words)
            or len(summary.characters) * SOURCE_PER_SUMMARY > len(self.characters)
            or not self.word_runs.isdisjoint(summary.word_runs)
            or not self.character_runs.isdisjoint(summary.character_runs)
        )


class _Source:
    """A text to be summarised, with everything the leak check needs computed once."""

    def __init__(self, text: str) -> None:
        self.text = _drop_format_characters(text)
        self._size_limit = min(MAX_SUMMARY_CHARACTERS, len(text) // SOURCE_PER_SUMMARY)
        self._size_bytes = len(text.encode("utf-8"))
        self._foldings = [_Folded(self.text, True), _Folded(self.text, False)]

    def is_leaked_by(self, summary: str) -> bool:
        if not summary:
            return False
        if len(summary) > self._size_limit or len(summary.encode("utf-8")) >= self._size_bytes:
            return True
        clean = _drop_format_characters(summary)
        if any(len(word) > MAX_WORD_CHARACTERS for word in _WORD.findall(clean)):
            return True
        own = [_Folded(clean, True), _Folded(clean, False)]
        return any(folding.is_leaked_by(mine) for folding, mine in zip(self._foldings, own, strict=True))


def _rank_fragments(source: _Source) -> list[_Fragment]:
    """The lead of the text, then the heads of the sentences whose words are most typical of it."""
    fragments = [_cut_fragment(source.text, sentence) for sentence in _split_sentences(source.text)]
    speaking = [fragment for fragment in fragments if len(fragment.words) >= _MIN_WORDS]
    frequencies = Counter(_fold_words(source.text, keeps_punctuation=False))

    def score(fragment: _Fragment) -> float:
        # Short words of Latin scripts are mostly articles and prepositions, frequent in every text.
        telling = [frequencies[word] for word in fragment.words if len(word) > 3 or not word.isascii()]
        return sum(telling) / len(fragment.words)

    return speaking[:1] + sorted(speaking[1:], key=score, reverse=True)[: _CANDIDATE_LIMIT - 1]


def _cut_fragment(text: str, sentence: list[re.Match[str]]) -> _Fragment:
    """The head of the sentence, as long as one run may be; without words where all of them are too long."""
    words = list(dropwhile(_is_long, sentence))[:MAX_RUN_WORDS]
    start = sentence[0].start() if not words else words[0].start()
    limit = start + MAX_RUN_CHARACTERS
    kept = list(takewhile(lambda word: not _is_long(word) and word.end() <= limit, words))
    quoted = " ".join(text[start : kept[-1].end()].split()) if kept else ""
    return _Fragment(start, quoted, tuple(_fold_words(quoted, keeps_punctuation=False)))


def _split_sentences(text: str) -> Iterator[list[re.Match[str]]]:
    sentence: list[re.Match[str]] = []
    for word in _WORD.finditer(text):
        if sentence and _BLOCK_START.search(text, sentence[-1].end(), word.end()):
            yield sentence
            sentence = []
        sentence.append(word)
        if _SENTENCE_END.search(word[0][-4:]):
            yield sentence
            sentence = []
    if sentence:
        yield sentence


def _is_long(word: re.Match[str]) -> bool:
    return word.end() - word.start() > MAX_WORD_CHARACTERS


def _join_fragments(fragments: list[_Fragment]) -> str:
    return " … ".join(fragment.text for fragment in fragments)


def _drop_format_characters(text: str) -> str:
    """Without marks of direction, joiners, soft hyphens: none reaches beyond a summary or hides a shared run.

    A zero-width space parts words in scripts without spaces, so it becomes one.
    """
    unseen = {ord(character): None for character in set(text) if unicodedata.category(character) == "Cf"}
    return text.replace("\u200b", " ").translate(unseen)


def _fold_words(text: str, keeps_punctuation: bool) -> list[str]:
    """The words in lower case, without those that hold nothing but what was dropped."""
    dropped = {ord(character): None for character in set(text) if _is_punctuation(character)}
    folded = text.casefold() if keeps_punctuation else text.casefold().translate(dropped)
    return _WORD.findall(folded)


def _is_punctuation(character: str) -> bool:
    return unicodedata.category(character).startswith("P")


def _windows(sequence: Sequence[Any], size: int) -> set[Any]:
    return {sequence[start : start + size] for start in range(len(sequence) - size + 1)}
