"""How text becomes search terms: one rule for messages and for queries."""

import re
import unicodedata
from collections import Counter
from functools import lru_cache
from typing import Any

_WORD = re.compile(r"[^\W_]+")
TERM_CHARACTERS = 64  # longer runs (hex strings, base64) are cut: equal starts still meet


@lru_cache(maxsize=1)
def _stemmer() -> Any:
    import snowballstemmer  # a tenth of a second, which a node that starts does not wait for

    return snowballstemmer.stemmer("english")


@lru_cache(maxsize=1 << 16)
def _stem(word: str) -> str:
    stem: str = _stemmer().stemWord(word)
    return stem


def _without_invisible(text: str) -> str:
    """Format characters (zero-width, direction marks, soft hyphens): no reader sees them."""
    invisible = [character for character in set(text) if unicodedata.category(character) == "Cf"]
    return text.translate(dict.fromkeys(map(ord, invisible))) if invisible else text


def text_terms(text: str) -> list[str]:
    """Words in NFC, case folded, without invisible characters, English endings stemmed; in order."""
    visible = text if text.isascii() else unicodedata.normalize("NFC", _without_invisible(text))
    folded = unicodedata.normalize("NFC", visible.casefold())
    return [_stem(word[:TERM_CHARACTERS]) for word in _WORD.findall(folded)]


def term_counts(text: str) -> Counter[str]:
    return Counter(text_terms(text))
