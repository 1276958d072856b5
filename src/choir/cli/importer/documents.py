"""Reading a directory of Markdown proposals with YAML front matter."""

import re
from pathlib import Path
from typing import Any, Final

import yaml
from msgspec import Struct

from choir.cli.importer.authors import Author, parse_authors
from choir.cli.importer.sections import Section, split_sections
from choir.client.signing import normalise_text

LARGEST_FILE_BYTES: Final = 16 * 1024 * 1024
_FRONT_MATTER: Final = re.compile(r"\A---[ \t]*\n(.*?)^---[ \t]*(?:\n|\Z)", re.DOTALL | re.MULTILINE)
_ABSTRACT_TITLES: Final = ("abstract", "simple summary", "summary")
# libyaml's parser where the wheel has it: the same safe types, ten times faster.
_Loader: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class DocumentError(ValueError):
    """The file is no proposal; the message says why."""


class Document(Struct, frozen=True, kw_only=True):
    """A proposal. ``sections[0]`` is its title and front matter; ``requires`` are numbers or names of others."""

    source: str
    number: str
    title: str
    authors: tuple[Author, ...]
    sections: tuple[Section, ...]
    requires: tuple[str, ...]

    @property
    def abstract_index(self) -> int:
        """The section that stands for the whole proposal when others cite it."""
        titles = [section.title.casefold() for section in self.sections]
        return next((titles.index(title) for title in _ABSTRACT_TITLES if title in titles), 0)


class Problem(Struct, frozen=True, kw_only=True):
    """Something about a file that a person should know; the import goes on."""

    source: str
    message: str


def read_documents(directory: Path) -> tuple[list[Document], list[Problem]]:
    """Every `*.md` below the directory, in natural order (2 before 10), and what could not be read."""
    documents: list[Document] = []
    problems: list[Problem] = []
    paths = [path for path in directory.rglob("*.md") if path.is_file()]
    for path in sorted(paths, key=lambda path: _natural_key(path.relative_to(directory).as_posix())):
        source = path.relative_to(directory).as_posix()
        try:
            documents.append(parse_document(source, _read(path)))
        except (DocumentError, OSError) as error:
            problems.append(Problem(source=source, message=str(error)))
    return documents, problems


def parse_document(source: str, raw: bytes) -> Document:
    """One file. Raises ``DocumentError``."""
    try:
        text = normalise_text(raw.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise DocumentError(f"not UTF-8 at byte {error.start}") from error
    match = _FRONT_MATTER.match(text)
    if match is None:
        raise DocumentError("no front matter: the file must begin with a line of --- and YAML up to another")
    fields = _parse_front_matter(match[1])
    authors = parse_authors(fields.get("author", fields.get("authors")))
    if not authors:
        raise DocumentError("the front matter names no author")
    stem = source.rpartition("/")[2].removesuffix(".md")
    title = str(fields.get("title") or stem)
    preamble = Section("", _write_preamble(stem, title, fields))
    return Document(
        source=source,
        number=str(fields.get("eip", stem)),
        title=title,
        authors=authors,
        # One section less is wanted: the preamble is the first author's.
        sections=(preamble, *split_sections(text[match.end() :], wanted=len(authors) - 1)),
        requires=_parse_requires(fields.get("requires")),
    )


def _read(path: Path) -> bytes:
    with path.open("rb") as file:
        raw = file.read(LARGEST_FILE_BYTES + 1)
    if len(raw) > LARGEST_FILE_BYTES:
        raise DocumentError(f"larger than {LARGEST_FILE_BYTES // 2**20} MiB")
    return raw


def _parse_front_matter(text: str) -> dict[str, Any]:
    try:
        fields = yaml.load(text, Loader=_Loader)  # noqa: S506  both are safe loaders
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        reason = " ".join(str(error).split())
        raise DocumentError(f"broken front matter: {reason}") from error
    if not isinstance(fields, dict):
        raise DocumentError("broken front matter: it is not a list of names and values")
    return {str(name): value for name, value in fields.items()}


def _write_preamble(stem: str, title: str, fields: dict[str, Any]) -> str:
    """The thread's first message: the title, and the front matter for people to read."""
    lines = [f"# {stem}: {title}" if stem != title else f"# {title}"]
    if fields.get("description"):
        lines += ["", str(fields["description"])]
    skipped = ("title", "description")
    lines += ["", *(f"- {name}: {_write_value(value)}" for name, value in fields.items() if name not in skipped)]
    return "\n".join(lines)


def _write_value(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _parse_requires(value: Any) -> tuple[str, ...]:
    """Numbers or names, from `145, 609`, one number, or a list; each once."""
    entries = value if isinstance(value, list) else str("" if value is None else value).split(",")
    names = (re.sub(r"\A(?:EIP|ERC)-", "", str(entry).strip(), flags=re.IGNORECASE) for entry in entries)
    return tuple(dict.fromkeys(name for name in names if name))


def _natural_key(source: str) -> list[tuple[int, str]]:
    """Digits compare as numbers."""
    parts = re.split(r"(\d+)", source)
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in parts if part]
