"""English words to their stems, as the Snowball project defines them (https://snowballstem.org)."""

import threading
from functools import lru_cache
from typing import Final

from Stemmer import Stemmer

_WORDS_REMEMBERED: Final = 1 << 16

_stemmer: Final = Stemmer("english", 0)  # it would remember words too
_in_use: Final = threading.Lock()  # a stemmer is not for two threads at once


@lru_cache(_WORDS_REMEMBERED)
def stem(word: str) -> str:
    """The stem of a lower-case word; a word of another language is often its own."""
    with _in_use:
        stemmed: str = _stemmer.stemWord(word)
    return stemmed
