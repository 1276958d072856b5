"""Cutting Markdown into messages: at its headings, and below the size that a message may have."""

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

# What the node takes as one message's text (docs/reference, error TextTooLong).
TEXT_LIMIT_BYTES: Final = 64 * 1024

_ATX: Final = re.compile(r" {0,3}(#{1,6})(?:[ \t]+(.*?))?(?:[ \t]+#+)?[ \t]*\Z")
_SETEXT: Final = re.compile(r" {0,3}(=+|-{2,})[ \t]*\Z")
_FENCE: Final = re.compile(r" {0,3}(`{3,}(?=[^`]*\Z)|~{3,})")
# A line that begins a list, a quotation, a table or a rule is no heading even when a line of dashes follows.
_NOT_HEADING: Final = re.compile(r"\s*(?:[-*+>|]|\d+[.)]\s|\Z)| {4}")


class Heading(NamedTuple):
    line: int
    level: int
    title: str


class Section(NamedTuple):
    """A heading with what follows it; ``title`` is empty for what stands before the first heading."""

    title: str
    text: str


def split_sections(markdown: str, wanted: int = 1) -> list[Section]:
    """Cut at the outermost headings that occur more than once; deeper while there are fewer than ``wanted`` sections.
    Text before the first heading is a section of its own. Headings inside code fences are text."""
    lines = markdown.split("\n")
    headings = list(_find_headings(lines))
    levels = sorted({heading.level for heading in headings})
    repeated = [level for level in levels if sum(heading.level <= level for heading in headings) > 1]
    sections = [Section("", markdown.strip())]
    for level in repeated or levels:
        sections = _cut(lines, [heading for heading in headings if heading.level <= level])
        if len(sections) >= wanted:
            break
    return [section for section in sections if section.text]


def split_text(text: str, limit_bytes: int = TEXT_LIMIT_BYTES) -> list[str]:
    """Pieces of at most ``limit_bytes`` of UTF-8, cut between paragraphs, else lines, else characters; none blank."""
    pieces: list[str] = []
    rest = text
    while len(rest.encode("utf-8")) > limit_bytes:
        end = _find_cut(rest, limit_bytes)
        pieces.append(rest[:end])
        rest = rest[end:]
    return [piece.strip("\n") for piece in [*pieces, rest] if piece.strip()]


def _find_headings(lines: list[str]) -> Iterator[Heading]:
    fence: str | None = None
    for number, line in enumerate(lines):
        mark = _FENCE.match(line)
        if fence is not None:
            if mark and mark[1].startswith(fence) and not line.strip().strip(fence[0]):
                fence = None
        elif mark:
            fence = mark[1]
        elif match := _ATX.match(line):
            yield Heading(number, len(match[1]), (match[2] or "").strip())
        elif (match := _SETEXT.match(line)) and _is_lone_text(lines, number - 1):
            yield Heading(number - 1, 1 if match[1][0] == "=" else 2, lines[number - 1].strip())


def _is_lone_text(lines: list[str], number: int) -> bool:
    """Whether the line is one line of plain text after a blank one: what a line of dashes makes a heading."""
    if number < 0 or _NOT_HEADING.match(lines[number]):
        return False
    return number == 0 or not lines[number - 1].strip()


def _cut(lines: list[str], headings: list[Heading]) -> list[Section]:
    ends = [heading.line for heading in headings[1:]] + [len(lines)]
    first = Section("", "\n".join(lines[: headings[0].line]).strip())
    sections = [
        Section(heading.title, "\n".join(lines[heading.line : end]).strip())
        for heading, end in zip(headings, ends, strict=True)
    ]
    return [first, *sections] if first.text else sections


def _find_cut(text: str, limit_bytes: int) -> int:
    """Where to cut: the last paragraph's end that fits, else the last line's, else the last character's."""
    fitting = text.encode("utf-8")[:limit_bytes].decode("utf-8", errors="ignore")
    for separator in ("\n\n", "\n"):
        end = fitting.rfind(separator)
        if end > 0 and fitting[:end].strip():
            return end + len(separator)
    return len(fitting)
