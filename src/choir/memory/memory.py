"""The memory as one part: records, projections, indexes and search over them, opened and closed together."""

import asyncio
import contextlib
import sqlite3
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from choir.memory.database import Database
from choir.memory.embedders import load_embedder
from choir.memory.embedding import Embedder
from choir.memory.indexes import open_index
from choir.memory.indexing import Indexer
from choir.memory.keyword import KeywordIndex
from choir.memory.projection import LedgerEvent, Projection
from choir.memory.records import Record, RecordStore
from choir.memory.search import Hit, HybridSearch, SearchResult
from choir.memory.suggest import Suggestion, suggest_priors
from choir.memory.vault import Vault
from choir.memory.vector_index import SearchFilter, VectorIndex
from choir.primitives.signatures import SigningKey

_CACHED_SEARCHES: Final = 1000
_CACHE_SECONDS: Final = 3600
_HIDING_EVENTS: Final = frozenset({"privacy_changed", "message_erased"})


class Found(NamedTuple):
    """A hit with its record."""

    hit: Hit
    record: Record


class Answer(NamedTuple):
    """What a search found; see `SearchResult` for the flags."""

    found: list[Found]
    vectors_used: bool
    query_cut: bool


class Memory:
    """Everything the memory does for a node. Make it with `open`."""

    def __init__(self, database: Database, vault: Vault, embedder: Embedder) -> None:
        self.records = RecordStore(database, vault)
        self.projection = Projection(database, vault)
        self.indexer = Indexer(database, vault, embedder, self._forget_searches)
        self._database = database
        self._embedder = embedder
        self._cache: OrderedDict[tuple[str, SearchFilter, int], tuple[float, SearchResult]] = OrderedDict()
        self._generation = 0
        self._closing = contextlib.AsyncExitStack()

    @classmethod
    async def open(cls, directory: Path, node_key: SigningKey, embedder: str, vector_index: str) -> "Memory":
        """Open or make the memory in ``directory``. ``embedder`` and ``vector_index`` are settings of the node. Raises
        ``MemoryUnusable``, ``EmbeddingError`` or ``IndexUnavailable``."""
        async with contextlib.AsyncExitStack() as stack:
            loaded = await load_embedder(embedder)
            stack.push_async_callback(loaded.aclose)
            database = await asyncio.to_thread(Database, directory / "memory.db")
            stack.callback(database.close)
            memory = cls(database, Vault(node_key), loaded)
            indexer = memory.indexer
            vectors = await open_index(
                vector_index, directory, loaded.dimensions, indexer.points, indexer.count_points
            )
            stack.push_async_callback(vectors.aclose)
            memory._attach(vectors, directory, stack)
            memory._closing = stack.pop_all()
            return memory

    def _attach(self, vectors: VectorIndex, directory: Path, stack: contextlib.AsyncExitStack) -> None:
        self.indexer.attach(vectors)
        reader = sqlite3.connect(directory / "memory.db", isolation_level=None, check_same_thread=False)
        stack.callback(reader.close)
        reader.execute("PRAGMA query_only = 1")
        self._search = HybridSearch(self._embedder, vectors, KeywordIndex(reader))
        stack.callback(self._search.close)
        task = asyncio.create_task(self.indexer.run(), name="choir-indexer")
        stack.push_async_callback(_cancel, task)

    async def close(self) -> None:
        """Stop indexing and close every file."""
        await self._closing.aclose()

    async def apply(self, events: Sequence[LedgerEvent]) -> None:
        """Follow the ledger: the projections first; what was hidden is out of every index when this returns."""
        await asyncio.to_thread(self.projection.apply, events)
        hidden = [event.fields["content_hash"] for event in events if event.fields["type"] in _HIDING_EVENTS]
        if hidden:
            await self.indexer.restrict(hidden)
        self.indexer.wake()

    async def search(self, query: str, search_filter: SearchFilter, k: int) -> Answer:
        """The k best messages that the filter admits. Raises ``QueryError``."""
        result = await self._cached_search(query, search_filter, k)
        records = await asyncio.to_thread(self.records.by_ids, [hit.point_id for hit in result.hits])
        found = [Found(hit, records[hit.point_id]) for hit in result.hits if hit.point_id in records]
        # Between the search and this line a record may have become less visible.
        found = [f for f in found if search_filter.matches(*_payload(f.record)) and not f.record.is_erased]
        return Answer(found, result.vectors_used, result.query_cut)

    async def suggest(self, draft: str, search_filter: SearchFilter, k: int) -> list[tuple[Suggestion, Record]]:
        """Priors for a draft. Raises ``QueryError``."""
        suggestions = await suggest_priors(self._search, self._citations, draft, search_filter, k)
        records = await asyncio.to_thread(self.records.by_ids, [s.point_id for s in suggestions])
        pairs = [(s, records[s.point_id]) for s in suggestions if s.point_id in records]
        return [(s, r) for s, r in pairs if search_filter.matches(*_payload(r)) and not r.is_erased]

    async def _citations(self, ids: Sequence[int], search_filter: SearchFilter) -> Mapping[int, Sequence[int]]:
        def read() -> dict[int, list[int]]:
            citing = self.records.by_ids(ids)
            cited = self.records.by_hashes(sorted({p for record in citing.values() for p in record.priors}))
            admitted = {h: r.id for h, r in cited.items() if search_filter.matches(*_payload(r))}
            return {i: [admitted[p] for p in record.priors if p in admitted] for i, record in citing.items()}

        return await asyncio.to_thread(read)

    async def _cached_search(self, query: str, search_filter: SearchFilter, k: int) -> SearchResult:
        key, now = (query, search_filter, k), asyncio.get_running_loop().time()
        cached = self._cache.get(key)
        if cached is not None and now - cached[0] < _CACHE_SECONDS:
            self._cache.move_to_end(key)
            return cached[1]
        generation = self._generation
        result = await self._search.search(query, search_filter, k)
        if generation == self._generation and result.vectors_used:
            self._cache[key] = (now, result)
            if len(self._cache) > _CACHED_SEARCHES:
                self._cache.popitem(last=False)
        return result

    def _forget_searches(self) -> None:
        """Whatever changes an index ends the life of every cached answer."""
        self._generation += 1
        self._cache.clear()


def _payload(record: Record) -> tuple[str, str, int, str]:
    return record.thread_id, record.author, record.created_at_ms, record.privacy


async def _cancel(task: "asyncio.Task[None]") -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
