"""What a run is given: the memory and the thread, as the asking account may read them."""

import asyncio
from collections.abc import Sequence
from typing import Final

import msgspec

from choir.api.access import closed_threads, readable, show
from choir.api.finding import FoundMessage, find, make_filter, proof_route
from choir.api.reading import ReadingParts
from choir.chorus.errors import SearchFailed
from choir.chorus.events import PriorView
from choir.chorus.ports import ContextMessage
from choir.chorus.priors import find_names, is_named
from choir.ledger.entities import THREADS
from choir.ledger.errors import Code, Rejected
from choir.memory.memory import SearchUnavailable
from choir.memory.privacy import View
from choir.memory.quantities import entanglement
from choir.memory.records import Record
from choir.memory.search import MAXIMUM_K, QueryError, checked_query
from choir.memory.vector_index import SearchFilter

CONTEXT_MESSAGES: Final = 12
_MAX_NAMES: Final = 2
_HITS_OF_NAMED: Final = 12


class ThreadContext:
    """The newest messages of the thread in which is asked, as the asker may read them."""

    def __init__(self, records: Sequence[Record]) -> None:
        self.messages = tuple(_context_message(record) for record in records)
        # What the thread's newest messages cite is what a question asked there would build on.
        self.priors = frozenset(prior for record in records for prior in record.priors)


async def read_context(parts: ReadingParts, viewer: str, thread_id: str) -> ThreadContext:
    """Rejects with NotFound where there is no such thread. Audited like every reading."""
    with parts.engine.read() as state:
        if state.get(THREADS, thread_id) is None:
            raise Rejected(Code.NotFound)
    records = await asyncio.to_thread(parts.records.newest_of_thread, thread_id, CONTEXT_MESSAGES)
    shown = await show(parts, viewer, records)
    return ThreadContext([item.record for item in shown if item.view is View.FULL and item.text is not None])


class AskersSearch:
    """Implements `choir.chorus.ports.PriorSearch` for one account."""

    def __init__(self, parts: ReadingParts, viewer: str, thread_id: str | None, context: ThreadContext | None) -> None:
        self._parts = parts
        self._viewer = viewer
        self._thread_id = thread_id
        self._context = context

    async def search(self, query: str, limit: int) -> Sequence[PriorView]:
        """The best messages for a query that the asker may find; see `choir.api.search`. Raises ``SearchFailed``."""
        try:
            text, _ = checked_query(query)
            scope = await make_filter(self._parts, self._viewer)
            found = await self._find_in_named_threads(text, scope)
            found += await self._find(text, scope, limit)
        except (QueryError, SearchUnavailable) as error:
            raise SearchFailed(f"The memory could not be searched: {error}.") from error
        by_hash = {item.shown.record.content_hash: item for item in found if item.shown.text is not None}
        phases = await self._phases(text, list(by_hash))
        return [self._prior_view(item, phases) for item in by_hash.values()]

    async def may_still_read(self, content_hashes: Sequence[str]) -> frozenset[str]:
        """Those that the asker may read at this moment."""
        return await readable(self._parts, self._viewer, content_hashes)

    async def _find_in_named_threads(self, query: str, scope: SearchFilter) -> list[FoundMessage]:
        """What public threads whose titles the query names say about it. Their own messages seldom repeat their name,
        so that those of others, which do, would come before them."""
        public = msgspec.structs.replace(scope, privacy="public")
        threads: dict[str, str] = {}
        for name in find_names(query)[:_MAX_NAMES]:
            hits = await self._find(name, public, MAXIMUM_K)
            threads |= {hit.shown.record.thread_id: hit.title or "" for hit in hits if is_named(hit.title, name)}
        found: list[FoundMessage] = []
        for thread_id, title in list(threads.items())[:_MAX_NAMES]:
            within = msgspec.structs.replace(scope, thread_id=thread_id)
            # A question that says nothing but the name is about what the title says.
            found += await self._find(f"{query}\n{title}", within, _HITS_OF_NAMED)
        return found

    async def _find(self, query: str, scope: SearchFilter, k: int) -> list[FoundMessage]:
        """Public titles only: a run keeps account of the messages that it is given, and a title's is none of them."""
        return (await find(self._parts, self._viewer, query, scope, k, titles_for=None)).items

    async def _phases(self, query: str, content_hashes: Sequence[str]) -> dict[str, float]:
        """Phases need a thread to look from; its centroid must not tell of messages that the asker may not read."""
        if self._thread_id is None or not content_hashes:
            return {}
        if await closed_threads(self._parts, self._viewer, [self._thread_id]):
            return {}
        return await self._parts.memory.phases(query, self._thread_id, content_hashes)

    def _prior_view(self, item: FoundMessage, phases: dict[str, float]) -> PriorView:
        record, similarity = item.shown.record, item.hit.similarity
        return PriorView(
            id="",
            content_hash=record.content_hash,
            thread_id=record.thread_id,
            title=item.title,
            author=record.author,
            created_at_ms=record.created_at_ms,
            text=item.shown.text or "",
            similarity=similarity,
            score=item.hit.score,
            resonance=None if similarity is None else max(0.0, min(1.0, similarity)),
            phase=phases.get(record.content_hash),
            entanglement=None if self._context is None else entanglement(self._context.priors, record.priors),
            proof=proof_route(record.content_hash),
        )


def _context_message(record: Record) -> ContextMessage:
    return ContextMessage(
        content_hash=record.content_hash,
        author=record.author,
        created_at_ms=record.created_at_ms,
        text=record.text or "",
    )
