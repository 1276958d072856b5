"""How text becomes search terms: one rule for messages and for queries."""

import re
import unicodedata
from collections import Counter

from choir.primitives.stemming import stem

_WORD = re.compile(r"[^\W_]+")
TERM_CHARACTERS = 64  # longer runs (hex strings, base64) are cut: equal starts still meet


def _without_invisible(text: str) -> str:
    """Format characters (zero-width, direction marks, soft hyphens): no reader sees them."""
    invisible = [character for character in set(text) if unicodedata.category(character) == "Cf"]
    return text.translate(dict.fromkeys(map(ord, invisible))) if invisible else text


def text_terms(text: str) -> list[str]:
    """Words in NFC, case folded, without invisible characters, English endings stemmed; in order."""
    visible = text if text.isascii() else unicodedata.normalize("NFC", _without_invisible(text))
    folded = unicodedata.normalize("NFC", visible.casefold())
    return [stem(word[:TERM_CHARACTERS]) for word in _WORD.findall(folded)]


def term_counts(text: str) -> Counter[str]:
    return Counter(text_terms(text))
