"""Who may do what with a message: the rights matrix, in one place.

Rule: design/memory.md, "Privacy". Pure: nothing is read, written or timed here. A viewer's rights are the
union of the rows of all roles they hold, so that holding one more role never takes a right away.

A *spec* (a message that awaits votes, or was denied, or expired) obeys the table like any other message, at
the level its author gave it. Two readers always get its text whatever the level: its author, who wrote it,
and the thread's co-authors, who are asked to vote on it. At level ``encrypted`` the text they get is the
ciphertext: its author hands them the key outside the node.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final, TypeVar

_T = TypeVar("_T")


class Level(StrEnum):
    """How private a message is. ``Level(text)`` raises ``ValueError`` for an unknown level."""

    PUBLIC = "public"
    PREMIUM = "premium"
    THREAD = "thread"
    ENCRYPTED = "encrypted"


class Role(StrEnum):
    """What a viewer is to one message. Everybody, signed in or not, is at least ``EVERYONE``."""

    CO_AUTHOR = "co_author"
    AUTHOR = "author"
    PREMIUM = "premium"
    EVERYONE = "everyone"


class Right(StrEnum):
    """What may be done with a message, or (write, approve) with its thread at that level."""

    READ = "read"
    WRITE = "write"
    APPROVE = "approve"
    SEARCH = "search"
    CITE = "cite"


class View(StrEnum):
    """What a viewer is given of a message; see memory/summary.py for the two summaries."""

    FULL = "full"
    LIMITED = "limited"
    MINIMAL = "minimal"
    EXISTENCE = "existence"


_ALL: Final = frozenset(Right)
_OPEN: Final = frozenset({Right.READ, Right.SEARCH, Right.CITE})
_READ: Final = frozenset({Right.READ})
_NONE: Final[frozenset[Right]] = frozenset()


def _row(public: _T, premium: _T, thread: _T, encrypted: _T) -> Mapping[Level, _T]:
    return MappingProxyType(dict(zip(Level, (public, premium, thread, encrypted), strict=True)))


# fmt: off
RIGHTS: Final[Mapping[Role, Mapping[Level, frozenset[Right]]]] = MappingProxyType({
    #                    public     premium       thread        encrypted
    Role.CO_AUTHOR: _row(_ALL,      _ALL,         _ALL,         _ALL - {Right.SEARCH}),
    Role.AUTHOR:    _row(_OPEN,     _READ,        _READ,        _READ),
    Role.PREMIUM:   _row(_OPEN,     _OPEN,        _NONE,        _NONE),
    Role.EVERYONE:  _row(_OPEN,     _NONE,        _NONE,        _NONE),
})
OTHERS_GET: Final = _row(View.FULL, View.LIMITED, View.MINIMAL, View.EXISTENCE)
# fmt: on


def get_roles(viewer: str | None, co_authors: Collection[str], is_premium: bool, author: str) -> frozenset[Role]:
    """The roles of ``viewer`` (an address; ``None`` when signed out) towards one message of a thread.

    ``is_premium`` is the viewer's membership at the current block's time; it is ignored when signed out.
    """
    if viewer is None:
        return frozenset({Role.EVERYONE})
    held = {
        Role.EVERYONE: True,
        Role.PREMIUM: is_premium,
        Role.AUTHOR: viewer == author,
        Role.CO_AUTHOR: viewer in co_authors,
    }
    return frozenset(role for role, is_held in held.items() if is_held)


def get_rights(roles: Iterable[Role], level: Level) -> frozenset[Right]:
    """What a holder of all ``roles`` may do at ``level``."""
    return _NONE.union(*(RIGHTS[role][level] for role in roles))


def get_view(roles: Iterable[Role], level: Level) -> View:
    """How much of a message at ``level`` a holder of ``roles`` is given."""
    return View.FULL if Right.READ in get_rights(roles, level) else OTHERS_GET[level]


def is_audited(level: Level, allowed: bool) -> bool:
    """Whether an access goes to the audit log: every refused one, every one to content that is not public."""
    return not allowed or level is not Level.PUBLIC


@dataclass(frozen=True, slots=True)
class SearchScope:
    """What a viewer may find: records at ``levels`` anywhere, records at ``own_levels`` in ``own_threads``.

    It belongs inside the query, never after it.
    """

    levels: frozenset[str]
    own_levels: frozenset[str]
    own_threads: frozenset[str]

    def includes(self, level: str, thread_id: str) -> bool:
        """Whether one record is inside: the reference for every index's own form of the filter."""
        return level in self.levels or (level in self.own_levels and thread_id in self.own_threads)


def get_search_scope(viewer: str | None, co_authored: Iterable[str], is_premium: bool) -> SearchScope:
    """The filter of a search by ``viewer``; ``co_authored`` are the ids of the threads they are co-author of.

    Signed out, neither membership nor threads count. Being the author of a spec does not make it searchable:
    its author finds it under what they submitted, by its hash.
    """
    roles = get_roles(viewer, (), is_premium, author="")
    return SearchScope(
        levels=_find_levels(roles),
        own_levels=_find_levels(roles | {Role.CO_AUTHOR}),
        own_threads=frozenset(co_authored) if viewer is not None else frozenset(),
    )


def _find_levels(roles: frozenset[Role]) -> frozenset[str]:
    return frozenset(level.value for level in Level if Right.SEARCH in get_rights(roles, level))
