"""Markdown proposals as a test collection: front matter, sections, and what each proposal requires."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

MESSAGE_CHARACTERS = 2_000
_FRONT_MATTER = re.compile(r"\A\ufeff?---\s*\n(.*?)\n---\s*(?:\n|\Z)", re.DOTALL)
_HEADING = re.compile(r"^(#{1,2})\s+(.*?)\s*#*\s*$")
_FENCE = re.compile(r"^\s*(```|~~~)")
_NUMBER = re.compile(r"\d+")


@dataclass(frozen=True)
class Section:
    heading: str
    text: str


@dataclass(frozen=True)
class Proposal:
    """`key` identifies it among its kind by number ("4844"), or by file name where it has none."""

    key: str
    file_name: str
    title: str
    description: str
    authors: tuple[str, ...]
    requires: tuple[str, ...]
    sections: tuple[Section, ...]

    @property
    def abstract(self) -> str:
        """The section that says what it is about: by its heading, or else the first."""
        for name in ("abstract", "simple summary", "summary"):
            for section in self.sections:
                if section.heading.lower() == name:
                    return section.text
        return self.sections[0].text if self.sections else ""

    def messages(self) -> Iterator[str]:
        """One text per section, headings and title left out; long sections in several parts."""
        for section in self.sections:
            yield from split_paragraphs(section.text, MESSAGE_CHARACTERS)


def read_corpus(directory: Path) -> list[Proposal]:
    """Every `*.md` with front matter and a title below `directory`, in order of file name."""
    files = sorted(directory.rglob("*.md"))
    proposals = (
        parse_proposal(file.name, file.read_text(encoding="utf-8", errors="replace")) for file in files
    )
    return [proposal for proposal in proposals if proposal and proposal.title and proposal.sections]


def parse_proposal(file_name: str, source: str) -> Proposal | None:
    """None where the file has no front matter."""
    match = _FRONT_MATTER.match(source.replace("\r\n", "\n"))
    if match is None:
        return None
    fields = _front_matter(match.group(1))
    return Proposal(
        key=proposal_key(file_name),
        file_name=file_name,
        title=_line(fields.get("title")),
        description=_line(fields.get("description")),
        authors=tuple(_items(fields.get("author") or fields.get("authors"))),
        requires=tuple(number for item in _items(fields.get("requires")) for number in _numbers(item)),
        sections=tuple(_sections(source.replace("\r\n", "\n")[match.end() :])),
    )


def proposal_key(file_name: str) -> str:
    numbers = _numbers(file_name.removesuffix(".md"))
    return numbers[-1] if numbers else file_name.removesuffix(".md").lower()


def _front_matter(block: str) -> dict[str, Any]:
    """YAML where it parses; else `key: value` lines, since titles with a colon are common and not valid YAML."""
    try:
        loaded = yaml.load(block, Loader=yaml.BaseLoader)  # noqa: S506 - the base loader makes strings only
    except yaml.YAMLError:
        pairs = (line.split(":", 1) for line in block.splitlines() if ":" in line and not line[0].isspace())
        loaded = {key: value.strip() for key, value in pairs}
    return (
        {str(key).strip().lower(): value for key, value in loaded.items()} if isinstance(loaded, dict) else {}
    )


def _line(value: Any) -> str:
    return " ".join(value.split()).strip("\"'") if isinstance(value, str) else ""


def _items(value: Any) -> list[str]:
    parts = value if isinstance(value, list) else str(value or "").split(",")
    return [part for part in (_line(str(item)) for item in parts) if part]


def _numbers(text: str) -> list[str]:
    return [str(int(digits)) for digits in _NUMBER.findall(text)]


def _sections(body: str) -> Iterator[Section]:
    """Split at first and second level headings outside code blocks; empty sections are dropped."""
    heading, lines, fenced = "", list[str](), False
    for line in [*body.split("\n"), "## "]:
        fenced ^= _FENCE.match(line) is not None
        found = None if fenced else _HEADING.match(line)
        if found is None and line != "## ":
            lines.append(line)
            continue
        text = "\n".join(lines).strip()
        if text:
            yield Section(heading, text)
        heading, lines = found.group(2) if found else "", []


def split_paragraphs(text: str, characters: int) -> Iterator[str]:
    """Parts of at most `characters`, made of whole paragraphs where they fit and of whole lines or cuts where not."""
    part = ""
    for block in _blocks(text, characters):
        if part and len(part) + len(block) + 2 > characters:
            yield part
            part = ""
        part = f"{part}\n\n{block}" if part else block
    if part:
        yield part


def _blocks(text: str, characters: int) -> Iterator[str]:
    for paragraph in re.split(r"\n\s*\n", text):
        block = paragraph.strip()
        while len(block) > characters:
            cut = block.rfind("\n", characters // 2, characters)
            cut = characters if cut < 0 else cut
            yield block[:cut].strip()
            block = block[cut:].strip()
        if block:
            yield block
