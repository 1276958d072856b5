"""How long a search's query may be. Who sends one and who answers it cut it at the same word."""

import unicodedata
from typing import Final

MAXIMUM_QUERY_CHARACTERS: Final = 8_192


def cut_query(query: str) -> tuple[str, bool]:
    """The query as search reads it: in NFC, without control characters, at most 8,192 characters; and whether it was
    cut. It is cut between words if its last half has room between words, and within one if not."""
    visible = "".join(" " if unicodedata.category(character) == "Cc" else character for character in query)
    text = unicodedata.normalize("NFC", visible).strip()
    if len(text) <= MAXIMUM_QUERY_CHARACTERS:
        return text, False
    end = text.rfind(" ", MAXIMUM_QUERY_CHARACTERS // 2, MAXIMUM_QUERY_CHARACTERS)
    return text[: MAXIMUM_QUERY_CHARACTERS if end < 0 else end].rstrip(), True
