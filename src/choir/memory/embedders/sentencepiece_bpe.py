"""Byte pair encoding as SentencePiece defines it (Kudo and Richardson 2018), for vocabularies of the Llama 2 family.

In Python, because the tokenizer library parses its file for a tenth of a second without giving the interpreter lock
away, in which a node answers nobody. Words are remembered, so a text costs about as much as with the library.
"""

import heapq
import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Final

SPACE: Final = "\u2581"
_WORDS_REMEMBERED: Final = 1 << 14
# No token but runs of spaces has a space inside or at its end, so no merge reaches beyond one of these.
_WORD: Final = re.compile(f"{SPACE}+[^{SPACE}]*|[^{SPACE}]+")


class Tokenizer:
    """``vocabulary``: tokens with their ids. ``merges``: "left right", the first to be done first. ``special``: tokens
    that stand for themselves in a text. A character that is no token counts as its UTF-8 bytes."""

    def __init__(self, vocabulary: Mapping[str, int], merges: Sequence[str], special: Sequence[str]) -> None:
        self._vocabulary = vocabulary
        self._ranks: dict[str, int] = {}
        for rank, merge in enumerate(merges):
            self._ranks.setdefault(merge.replace(" ", "", 1), rank)
        self._special = re.compile(f"({'|'.join(re.escape(token) for token in special)})")
        self._special_tokens = frozenset(special)
        self._word_ids = lru_cache(_WORDS_REMEMBERED)(self._merge)

    def encode(self, text: str) -> list[int]:
        """The ids of the text's tokens, without any that mark its beginning or end."""
        ids: list[int] = []
        for part in self._special.split(text):
            if part in self._special_tokens:
                ids.append(self._vocabulary[part])
            elif part:
                for word in _WORD.findall(SPACE + part.replace(" ", SPACE)):
                    ids += self._word_ids(word)
        return ids

    def _merge(self, word: str) -> tuple[int, ...]:
        """The lowest rank first, of equal ones the leftmost, until no two neighbours make a token."""
        parts: list[str | None] = [part for character in word for part in self._characters(character)]
        before, after = list(range(-1, len(parts) - 1)), list(range(1, len(parts) + 1))
        waiting: list[tuple[int, int, str]] = []

        def consider(left: int) -> None:
            if left >= 0 and after[left] < len(parts):
                joined = f"{parts[left]}{parts[after[left]]}"
                rank = self._ranks.get(joined)
                if rank is not None:
                    heapq.heappush(waiting, (rank, left, joined))

        for left in range(len(parts) - 1):
            consider(left)
        while waiting:
            _, left, joined = heapq.heappop(waiting)
            right = after[left]
            if parts[left] is None or right >= len(parts) or f"{parts[left]}{parts[right]}" != joined:
                continue  # one of the two is part of another token by now
            parts[left], parts[right], after[left] = joined, None, after[right]
            if after[left] < len(parts):
                before[after[left]] = left
            consider(before[left])
            consider(left)
        return tuple(self._vocabulary[part] for part in parts if part is not None)

    def _characters(self, character: str) -> list[str]:
        if character in self._vocabulary:
            return [character]
        return [f"<0x{byte:02X}>" for byte in character.encode()]
