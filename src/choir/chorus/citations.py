"""Checks what a model wrote: citations, ``[p1]`` marks, links. What cannot be shown to be true is removed and counted.

A citation holds if its prior was given and its quote stands in the prior's text. Both are compared without markup,
white space, letter case and typographic variants; the citation that is kept quotes the text itself, word by word.
"""

import html
import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence, Set
from functools import cached_property
from typing import Any, Final, TypeVar

import msgspec

from choir.chorus.errors import ModelAnswerInvalid
from choir.chorus.events import AnswerCitation, PriorView
from choir.chorus.steps import MAX_ITEM_CHARACTERS, AnyOutput, Citation, Experience, Yield

Output = TypeVar("Output", bound=AnyOutput)

MIN_QUOTE_CHARACTERS: Final = 12

# These read what a model wrote, so none may look back and forth: their time is linear in the text.
_MARK: Final = re.compile(
    r"(?:(?<![ \t])[ \t]+)?[\[［【]\s*[pP]\d{1,6}(?:\s*[,;、]\s*[pP]\d{1,6})*\s*[\]］】](?:\([^()\s]*\))?"
)
# A bare number in brackets would be shown as a citation of the answer, but no prior has such an id.
_NUMBERED: Final = re.compile(r"(?:(?<![ \t])[ \t]+|(?<![\w\])]))\[\d{1,3}\](?![(\[])")
_MARK_ID: Final = re.compile(r"[pP](\d{1,6})")
# What markup adds to words: link targets, numbers and marks of lists, headings and quotations (marks also within a
# line, since models set lists in one line), emphasis, code marks, tables.
_MARKUP: Final = re.compile(
    r"(?<=\])(?:\([^()\s]*(?:\s+\"[^\"]*\")?\)|\[[^\]\s]*\])|"
    r"^[ \t]*\d{1,3}[.)][ \t]+|(?<!\S)(?:[-+‐‑‒–—−]|#{1,6}|>+)(?!\S)|"
    r"!(?=\[)|[*_`~|\\\[\]]",
    re.MULTILINE,
)
_TYPOGRAPHIC: Final = str.maketrans(
    {"‘": "'", "’": "'", "‚": "'", "“": '"', "”": '"', "„": '"', "«": '"', "»": '"'}
    | dict.fromkeys("‐‑‒–—−", "-")
    | {"…": "..."}
)
_SPACELESS_FROM: Final = 0x2E80  # from here on, scripts that write words without spaces between them
_IMAGE: Final = re.compile(r"!\[([^\[\]]*)\](?:\([^()]*\)|\[[^\[\]]*\])")
_LINK: Final = re.compile(r"\[([^\[\]]*)\]\(\s*<?[^()\s]*(?:\([^()]*\)[^()\s]*)*>?(?:\s+[\"'][^()]*)?\s*\)")
_DEFINITION: Final = re.compile(r"^[ ]{0,3}\[[^\[\]\n]+\]:[ \t]*\S.*$", re.MULTILINE)
# What loads, runs or leads away; other angle brackets are code, as in list<int>.
_TAG: Final = re.compile(
    r"</?(?:a|area|audio|base|body|button|embed|form|frame|frameset|html|iframe|image|img|input|link|math|meta|object|"
    r"picture|script|source|style|svg|track|video|!--)\b[^<>]*>?|<(?=[a-z]+://)",
    re.IGNORECASE,
)
_URL: Final = re.compile(
    r"(?:\b[a-z][a-z0-9+.-]{1,15}://|\bwww\.|\b(?:data:(?=\w+/)|javascript:|mailto:))[^\s<>\"')\]]+", re.IGNORECASE
)
_UNSAFE: Final = re.compile(
    "[\u202a-\u202e\u2066-\u2069\u200b\u2060\ufeff\U000e0000-\U000e007f\x00-\x08\x0b-\x1f\x7f-\x9f]"
)
LINK_REMOVED: Final = "(link removed)"
# A removal can leave a new mark or link behind ("[p[p9]1]"). Deeper nesting than this is broken up.
_MAX_PASSES: Final = 8


def check_output(output: Output, priors: Sequence[PriorView], asked: Sequence[str] = ()) -> tuple[Output, int]:
    """The output with nothing in it that is not so, and how many citations and marks were removed.

    ``asked``: the question and its context, whose addresses may stand in the output as those of the priors may.
    Raises ``ModelAnswerInvalid`` where it breaks the bounds of its step, or nothing is left of it.
    """
    fields: dict[str, Any] = msgspec.structs.asdict(output)
    _validated(type(output), fields)
    removed = 0
    cited = {prior.id for prior in priors}
    addresses = find_addresses([*asked, *(prior.text for prior in priors)])
    if isinstance(output, Experience | Yield):
        texts = {prior.id: Folded(prior.text) for prior in priors}
        checked = [check_citation(citation, texts) for citation in output.citations]
        kept = [citation for citation in checked if citation is not None]
        removed += len(output.citations) - len(kept)
        fields["citations"] = tuple(dict.fromkeys(kept))
        if isinstance(output, Yield):
            cited = {citation.prior for citation in kept}

    def clean(text: str) -> str:
        nonlocal removed
        text, count = remove_marks(remove_links(text, addresses), cited)
        removed += count
        return text

    cleaned = {name: _map_texts(value, clean) for name, value in fields.items() if name != "citations"}
    return _validated(type(output), fields | cleaned), removed


class Folded:
    """A text as it is compared, made when it is first asked for: most priors are cited by nothing."""

    def __init__(self, text: str) -> None:
        self.text = text

    @cached_property
    def parts(self) -> tuple[str, list[int]]:
        """The folded text, and for each of its characters the place it comes from."""
        return _fold(self.text)


def check_citation(citation: Citation, texts: Mapping[str, Folded]) -> Citation | None:
    """The citation with the quote as it stands in the prior's text, or None if it is not true."""
    text = texts.get(citation.prior)
    quote = None if text is None else find_quote(citation.quote, text)
    return None if quote is None else Citation(prior=citation.prior, quote=quote)


def find_quote(quote: str, cited: Folded) -> str | None:
    """The stretch of the cited text that says ``quote``: whole words, with at least ``MIN_QUOTE_CHARACTERS`` letters
    and digits, or the whole text."""
    wanted, _ = _fold(quote)
    folded, places = cited.parts
    if (sum(char.isalnum() for char in wanted) < MIN_QUOTE_CHARACTERS and wanted != folded) or not wanted:
        return None
    start = _find_words(wanted, folded)
    if start is None and "&" in quote:
        wanted, _ = _fold(html.unescape(quote))
        start = _find_words(wanted, folded)
    if start is None:
        return None
    found = cited.text[places[start] : places[start + len(wanted) - 1] + 1]
    return found if len(found) <= MAX_ITEM_CHARACTERS else None


def remove_marks(text: str, cited: set[str]) -> tuple[str, int]:
    """``text`` with each ``[p1]`` whose id is in ``cited`` in its plain form, without the others, and their number."""
    removed = 0

    def replace(match: re.Match[str]) -> str:
        nonlocal removed
        ids = [f"p{int(number)}" for number in _MARK_ID.findall(match[0].split("(")[0])]
        kept = [one for one in dict.fromkeys(ids) if one in cited]
        removed += len(ids) - sum(one in cited for one in ids)
        space = match[0][: len(match[0]) - len(match[0].lstrip(" \t"))]
        return space + "".join(f"[{one}]" for one in kept) if kept else ""

    for _ in range(_MAX_PASSES):
        before = text
        text, numbered = _NUMBERED.subn("", _MARK.sub(replace, text))
        removed += numbered
        if text == before:
            return text, removed
    return text.translate(dict.fromkeys(map(ord, "[]［］【】"))), removed


def remove_links(text: str, addresses: Set[str]) -> str:
    """``text`` without images, tags and link targets, and without addresses that are not among the given: one that a
    model makes up can carry what it was told to whoever owns the host."""
    text = _UNSAFE.sub("", text)
    for _ in range(_MAX_PASSES):
        before = text
        text = _LINK.sub(lambda match: match[0] if _MARK.fullmatch(match[0]) else match[1], _IMAGE.sub(r"\1", text))
        text = _TAG.sub("", _DEFINITION.sub("", text))
        if text == before:
            break
    else:
        text = text.replace("](", "] (").replace("<", "&lt;")
    return _URL.sub(lambda match: match[0] if _plain_address(match[0]) in addresses else LINK_REMOVED, text)


def find_addresses(texts: Sequence[str]) -> frozenset[str]:
    """Every address that stands in the texts."""
    return frozenset(_plain_address(found) for text in texts for found in _URL.findall(text))


def resolve_citations(citations: Sequence[Citation], priors: Sequence[PriorView]) -> tuple[AnswerCitation, ...]:
    """Checked citations, with where the cited messages are."""
    given = {prior.id: prior for prior in priors}
    return tuple(
        AnswerCitation(
            prior=citation.prior,
            quote=citation.quote,
            content_hash=given[citation.prior].content_hash,
            thread_id=given[citation.prior].thread_id,
            proof=given[citation.prior].proof,
        )
        for citation in citations
    )


def _plain_address(found: str) -> str:
    return found.rstrip(".,;:!?*_`~")


def _map_texts(value: Any, change: Callable[[str], str]) -> Any:
    if isinstance(value, str):
        return change(value)
    if isinstance(value, tuple | list):
        return [changed for item in value if (changed := change(item)).strip()]
    return value


def _validated(kind: type[Output], fields: dict[str, Any]) -> Output:
    for value in fields.values():
        if isinstance(value, str) and not value.strip():
            raise ModelAnswerInvalid("The model's answer is empty once what cannot be checked is removed.")
    try:
        return msgspec.convert(msgspec.to_builtins(fields) | {"step": kind.__struct_config__.tag}, kind)
    except msgspec.ValidationError:
        raise ModelAnswerInvalid("The model's answer is not of the step's form.") from None


def _fold(text: str) -> tuple[str, list[int]]:
    """The text as it is compared, and for each of its characters the place it comes from."""
    folded: list[str] = []
    places: list[int] = []
    skipped = {place for match in _MARKUP.finditer(text) for place in range(*match.span())}
    for place, char in enumerate(text):
        if place in skipped or unicodedata.category(char) == "Cf":
            continue
        if char.isspace():
            if folded and folded[-1] != " ":
                folded.append(" ")
                places.append(place)
            continue
        for piece in char.translate(_TYPOGRAPHIC).casefold():
            folded.append(piece)
            places.append(place)
    if folded and folded[-1] == " ":
        folded.pop()
        places.pop()
    return "".join(folded), places


def _find_words(wanted: str, folded: str) -> int | None:
    """Where ``wanted`` stands, not within a word at either end: "possible" is not what "impossible" says."""
    start = folded.find(wanted)
    while start != -1:
        end = start + len(wanted)
        if not _is_within_word(folded, start) and not _is_within_word(folded, end):
            return start
        start = folded.find(wanted, start + 1)
    return None


def _is_within_word(text: str, place: int) -> bool:
    pair = text[max(place - 1, 0) : place + 1] if place else ""
    return len(pair) == 2 and all(char.isalnum() and ord(char) < _SPACELESS_FROM for char in pair)
