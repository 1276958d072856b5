"""English words to their stems, as the Snowball project defines them (https://snowballstem.org)."""

from functools import lru_cache
from typing import Final

from Stemmer import Stemmer

_WORDS_REMEMBERED: Final = 1 << 16


@lru_cache(_WORDS_REMEMBERED)
def stem(word: str) -> str:
    """The stem of a lower-case word; a word of another language is often its own."""
    # One of its own for each word, in a microsecond: a stemmer is not for two threads at once.
    stemmed: str = Stemmer("english", 0).stemWord(word)
    return stemmed
