"""Who wrote a proposal: from an `author:` line to names under which their keys are kept."""

import re
import unicodedata
from collections.abc import Iterable
from typing import Any, Final

from msgspec import Struct

_HANDLE: Final = re.compile(r"\(\s*@([A-Za-z0-9][A-Za-z0-9-]*)\s*\)")
_MAIL: Final = re.compile(r"<\s*([^<>\s]+@[^<>\s]+?)\s*>")
_BRACKETED: Final = re.compile(r"\([^()]*\)|<[^<>]*>")
_UNNAMED: Final = frozenset({"", "et al", "et al.", "others"})
# What a keyring's names are made of; see choir.cli.keyring.validate_name.
_ODD: Final = re.compile(r"[^\w.@:+' \-]")


class Author(Struct, frozen=True):
    """``key_name`` is the identity: the handle, else the mail address, else the name; without regard to case."""

    key_name: str
    name: str


def parse_authors(value: Any) -> tuple[Author, ...]:
    """The authors of a front matter's ``author``: text with commas, or a list. Each once, in their order."""
    entries = value if isinstance(value, list) else str(value or "").split(",")
    authors = {author.key_name: author for author in _parse_entries(entries)}
    return tuple(authors.values())


def _parse_entries(entries: Iterable[Any]) -> Iterable[Author]:
    for entry in entries:
        text = unicodedata.normalize("NFC", str(entry))
        name = " ".join(_BRACKETED.sub(" ", text).split())
        key_name = _key_name(text, name)
        if key_name:
            yield Author(key_name=key_name[:128].strip(), name=name or key_name)


def _key_name(text: str, name: str) -> str:
    handle = _HANDLE.search(text)
    if handle:
        return f"@{handle[1].casefold()}"
    mail = _MAIL.search(text)
    if mail:
        return f"mail:{_ODD.sub('_', mail[1].casefold())}"
    return "" if name.casefold() in _UNNAMED else f"name:{_ODD.sub('_', name.casefold())}"
