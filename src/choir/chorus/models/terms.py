"""Words as search terms: case folded, English endings stemmed; and which words carry no meaning of their own."""

import re
from typing import Final

from choir.primitives.stemming import stem

_WORD: Final = re.compile(r"[^\W_]+")
_MAX_TERM_CHARACTERS: Final = 64
# Function words, and words in which questions are asked rather than what they ask about.
_EMPTY_WORDS_TEXT: Final = """
a about above after again against all also am an and any are as at be because been before being below between both
but by can could did do does doing done down during each else every few for from further get gets got had has have
having he her here hers him his how i if in into is it its itself just let lets made make makes may me might more
most much must my need needed needs no nor not now of off on once one only or other our out over own please rather s
same shall she should so some something such t tell than that the their them then there these they thing things this
those through to too under until up upon us use used using very want was way we were what when where whether which
while who whom whose why will with within without would yes you your explain describe mean means meaning define
definition exactly exist exists work works happen happens happened say says said know think compare list give show
difference
"""
_EMPTY_WORDS: Final = frozenset(_EMPTY_WORDS_TEXT.split())


def text_terms(text: str) -> list[str]:
    """Every word's term, in order."""
    return [stem(word[:_MAX_TERM_CHARACTERS]) for word in _WORD.findall(text.casefold())]


def content_terms(text: str) -> dict[str, str]:
    """The terms that carry meaning, each with the word as it first stands; in order. All of them where none does."""
    words = _WORD.findall(text)
    telling = [word for word in words if word.casefold() not in _EMPTY_WORDS] or words
    terms: dict[str, str] = {}
    for word in telling:
        terms.setdefault(stem(word.casefold()[:_MAX_TERM_CHARACTERS]), word)
    return terms
