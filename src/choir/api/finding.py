"""Finding messages as one asker: what a search, a suggestion and a run of the chorus have in common."""

import asyncio
from collections.abc import Sequence
from typing import Final, NamedTuple

from choir.api.access import Shown, is_premium, roles_of, show
from choir.api.reading import ReadingParts
from choir.ledger.state import State
from choir.memory.privacy import Level, View, get_search_scope, get_view
from choir.memory.records import Record
from choir.memory.search import Hit
from choir.memory.vector_index import SearchFilter

_OWN_THREADS: Final = 10_000
_EVERYTHING: Final = 2**62
_TITLE_CHARACTERS: Final = 120


class FoundMessage(NamedTuple):
    """A hit that the asker may read; ``title`` is that of its thread, as far as `find` was asked for titles."""

    hit: Hit
    shown: Shown
    title: str | None


class FoundMessages(NamedTuple):
    """What a search found; see `choir.memory.search.SearchResult` for the flags."""

    items: list[FoundMessage]
    vectors_used: bool
    query_cut: bool


async def find(
    services: ReadingParts,
    viewer: str | None,
    query: str,
    search_filter: SearchFilter,
    k: int,
    *,
    titles_for: str | None,
) -> FoundMessages:
    """The k best messages, best first; reading them is written to the audit log where it is due. ``titles_for``: the
    viewer, or None for those titles only that everybody may read. Raises ``QueryError`` and ``SearchUnavailable``."""
    found = await services.memory.search(query, search_filter, k)
    shown = await show(services, viewer, [item.record for item in found.found])
    titles = await titles_of(services, titles_for, shown)
    # A right lost since the filter was made ends here; the query itself never sees what the asker may not find.
    items = [
        FoundMessage(item.hit, s, titles.get(item.record.thread_id))
        for item, s in zip(found.found, shown, strict=True)
        if s.view is View.FULL
    ]
    return FoundMessages(items, found.vectors_used, found.query_cut)


def proof_route(content_hash: str) -> str:
    """Where the node gives a message's inclusion proof."""
    return f"/v1/message/{content_hash}/proof"


async def make_filter(services: ReadingParts, viewer: str | None) -> SearchFilter:
    """What the viewer may find, to stand inside the query (design: memory, "Privacy")."""
    own: list[str] = []
    if viewer is not None:
        rows = await asyncio.to_thread(
            services.projection.threads, before_seq=_EVERYTHING, limit=_OWN_THREADS, co_author=viewer
        )
        own = [thread_id for thread_id, _ in rows]
    with services.engine.read() as state:
        scope = get_search_scope(viewer, own, is_premium(state, viewer))
    return SearchFilter(levels=scope.levels, own_threads=scope.own_threads)


async def titles_of(services: ReadingParts, viewer: str | None, shown: Sequence[Shown]) -> dict[str, str | None]:
    """The titles of the threads of hits, by thread, where the viewer (None: everybody) may read the opening message."""
    ids = sorted({s.record.thread_id for s in shown if s.view is View.FULL})
    openings = await asyncio.to_thread(lambda: {thread_id: services.records.opening_of(thread_id) for thread_id in ids})
    with services.engine.read() as state:
        return {thread_id: title_of(state, opening, viewer) for thread_id, opening in openings.items()}


def title_of(state: State, opening: Record | None, viewer: str | None) -> str | None:
    """A thread's title, where the viewer may read the opening message. Titles are not written to the audit log."""
    if opening is None or opening.privacy == Level.ENCRYPTED:  # a ciphertext's beginning names nothing
        return None
    if get_view(roles_of(state, opening, viewer), Level(opening.privacy)) is not View.FULL:
        return None
    return make_title(opening.text)


def make_title(text: str | None) -> str | None:
    """The first line with words in it, without Markdown's marks, at most 120 characters."""
    if text is None:
        return None
    for line in text.splitlines():
        title = line.strip().lstrip("#").strip()
        if title:
            return title if len(title) <= _TITLE_CHARACTERS else f"{title[: _TITLE_CHARACTERS - 1]}…"
    return None
