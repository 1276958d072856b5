"""Markdown seen as sentences: prose and list items, without headings, code, tables and markup.

A sentence keeps where it stands in the text, so that it can be quoted exactly, and its plain form for readers.
"""

import re
from collections.abc import Iterator
from typing import Final

from msgspec import Struct

MAX_SENTENCE_CHARACTERS: Final = 600

_FRONT_MATTER: Final = re.compile(r"\A---[ \t]*\n.*?^---[ \t]*$", re.DOTALL | re.MULTILINE)
_COMMENT: Final = re.compile(r"<!--[^<>]*-->")
_NO_LINE_END: Final = re.compile(r"[^\n]")
_FENCE: Final = re.compile(r"^[ ]{0,3}(`{3,}|~{3,})")
_HEADING: Final = re.compile(r"^[ ]{0,3}#{1,6}[ \t]+(.*?)[ \t#]*$")
_RULE: Final = re.compile(r"^[ ]{0,3}(?:[-=*_][ \t]*){3,}$")
_DEFINITION: Final = re.compile(r"^[ ]{0,3}\[[^\]]+\]:[ \t]*\S")
_FIELD: Final = re.compile(r"^[A-Za-z][\w .-]{0,30}:[ \t]*\S")
_ITEM: Final = re.compile(r"^\s*(?:[-*+]|\d{1,3}[.)])[ \t]+")
_QUOTATION: Final = re.compile(r"^[ ]{0,3}>[ \t]?")
# Where a sentence ends: a stop, perhaps closing marks, white space, and what can begin the next one.
_END: Final = re.compile(r"[.!?][\"'”’)\]*_`]*(?=\s+[\"'“‘(\[*_`]*[^\Wa-z_])|[。！？]")
_NO_END: Final = re.compile(
    r"(?:\b(?:e\.g|i\.e|etc|vs|cf|resp|approx|fig|no|vol|sec|al|Dr|Mr|Mrs|Ms|St|[A-Z])|^\s*\d{1,3})\.$", re.IGNORECASE
)
_AROUND: Final = " \t\n…"
_LINK: Final = re.compile(
    r"!?\[((?:[^\[\]]|\[[^\[\]]*\])*)\](?:\([^()\s]*(?:\([^()]*\)[^()\s]*)*(?:\s+\"[^\"]*\")?\)|\[[^\]]*\])"
)
_IMAGE: Final = re.compile(r"!\[[^\]]*\]\([^)]*\)")
_TAG: Final = re.compile(r"</?[A-Za-z][^<>]*>|<(https?://[^<>\s]+)>")
_EMPHASIS: Final = re.compile(r"(\\?\*{1,3}|(?<!\w)_{1,3}|_{1,3}(?!\w)|~~|`+)")
_CITED: Final = re.compile(r"\[\^[^\]]+\]")
# A message's own marks of what it cites would be taken for marks of the answer.
_NUMBERED: Final = re.compile(r"\[\d{1,3}\](?!\()")
_NUMBERED_LAST: Final = re.compile(r"\s*\[\d{1,3}\](?=\s*(?:[.,;:!?)]|$))", re.MULTILINE)
# An escaped mark, or a hard line break; formulas keep theirs.
_ESCAPE: Final = re.compile(r"\\([^\w\s]|$)", re.MULTILINE)


class Sentence(Struct, frozen=True):
    """``text[start:end]`` of the message; ``plain`` is it without markup, ``heading`` the heading above it ("" if
    none), ``place`` its number in the message from 0, ``paragraph`` that of its paragraph or list item."""

    start: int
    end: int
    plain: str
    heading: str
    place: int
    paragraph: int


class _Block(Struct):
    lines: list[tuple[int, str]]
    heading: str
    is_item: bool = False


def split_sentences(markdown: str) -> list[Sentence]:
    """The sentences of a text in their order. Fragments without two words are left out."""
    found: list[Sentence] = []
    for paragraph, block in enumerate(_find_blocks(markdown)):
        start, end = block.lines[0][0], block.lines[-1][0] + len(block.lines[-1][1])
        for first, last in _cut(markdown, start, end):
            plain = plain_text(markdown[first:last])
            if (len(plain.split()) > 1 and len(plain) <= MAX_SENTENCE_CHARACTERS) or _is_unspaced(plain):
                found.append(Sentence(first, last, plain, block.heading, len(found), paragraph))
    return found


def plain_text(markdown: str) -> str:
    """One line without markup: links by their text, no emphasis, no tags, no quotation marks of the markup."""
    text = _IMAGE.sub("", _COMMENT.sub("", markdown))
    text = _NUMBERED.sub("[…]", _NUMBERED_LAST.sub("", _CITED.sub("", text)))
    text = _LINK.sub(r"\1", text)
    text = _TAG.sub(lambda match: match[1] or "", text)
    text = "\n".join(_QUOTATION.sub("", line) for line in text.split("\n"))
    text = _EMPHASIS.sub("", _ITEM.sub("", text))
    line = " ".join(_ESCAPE.sub(r"\1", text).replace("()", "").split())
    return re.sub(r"\s+([.,;:!?])(?=\s|$)", r"\1", line)


def _is_unspaced(plain: str) -> bool:
    """Scripts without spaces between words."""
    return 8 <= len(plain) <= MAX_SENTENCE_CHARACTERS and sum(ord(char) >= 0x2E80 for char in plain) > len(plain) // 2


def _find_blocks(markdown: str) -> Iterator[_Block]:
    """Paragraphs and list items, each with the heading above it."""
    block = _Block([], "")
    for offset, line in _prose_lines(markdown):
        heading = _HEADING.match(line)
        is_item = _ITEM.match(line) is not None
        if heading or is_item or not line.strip():
            if block.lines:
                yield block
            block = _Block([], plain_text(heading[1]) if heading else block.heading, is_item)
        if line.strip() and not heading:
            block.lines.append((offset, line))
    if block.lines:
        yield block


def _blank_hidden(markdown: str) -> str:
    """The text with spaces where front matter and comments are: places stay what they are."""
    text = _FRONT_MATTER.sub(lambda match: _NO_LINE_END.sub(" ", match[0]), markdown)
    pieces, last = [], 0
    while (start := text.find("<!--", last)) != -1 and (end := text.find("-->", start + 4)) != -1:
        pieces += [text[last:start], _NO_LINE_END.sub(" ", text[start : end + 3])]
        last = end + 3
    return "".join([*pieces, text[last:]])


def _prose_lines(markdown: str) -> Iterator[tuple[int, str]]:
    """Lines with their offsets; what is no prose comes as an empty line."""
    fence = ""
    offset, before, in_list = 0, "", False
    for line in _blank_hidden(markdown).split("\n"):
        mark = _FENCE.match(line.strip() if in_list else line)
        if fence:
            shown = ""
            if mark and mark[1].startswith(fence) and not line.strip().strip(fence[0]):
                fence = ""
        elif mark:
            shown, fence = "", mark[1]
        else:
            is_code = line.startswith(("    ", "\t")) and not before.strip() and not in_list
            shown = "" if is_code or _is_no_prose(line) else line
            if line.strip():
                in_list = _ITEM.match(line) is not None or (in_list and line.startswith((" ", "\t")))
        yield offset, shown
        before = shown if _is_code_line(line) else line
        offset += len(line) + 1


def _is_code_line(line: str) -> bool:
    """Whether the line is indented as code is."""
    return line.startswith(("    ", "\t"))


def _is_no_prose(line: str) -> bool:
    stripped = line.strip()
    is_table = stripped.startswith("|") or stripped.count("|") >= 2
    return is_table or bool(_RULE.match(line) or _DEFINITION.match(line) or (_FIELD.match(line) and len(stripped) < 60))


def _cut(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """The sentences' ranges within a block, without the list mark, white space and marks of a cut around them."""
    item = _ITEM.match(text[start:end])
    first = start + (item.end() if item else 0)
    for match in _END.finditer(text, first, end):
        if _NO_END.search(text, max(first, match.start() - 12), match.start() + 1):
            continue
        yield from _trimmed(text, first, match.end())
        first = match.end()
    yield from _trimmed(text, first, end)


def _trimmed(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    piece = text[start:end]
    if piece.strip(_AROUND):
        yield start + len(piece) - len(piece.lstrip(_AROUND)), end - (len(piece) - len(piece.rstrip(_AROUND)))
