"""The memory as one part: records, projections, indexes and search over them, opened and closed together."""

import asyncio
import contextlib
import itertools
import sqlite3
from collections import OrderedDict
from collections.abc import Coroutine, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

import structlog

from choir.memory.database import Database
from choir.memory.embedders import load_embedder
from choir.memory.holdings import Holdings
from choir.memory.indexes import open_index
from choir.memory.indexing import Indexer
from choir.memory.keyword_search import KeywordSearch
from choir.memory.probing import Prober
from choir.memory.projection import LedgerEvent, Projection
from choir.memory.records import Record, RecordStore
from choir.memory.search import Hit, HybridSearch, SearchResult
from choir.memory.suggest import Suggestion, suggest_priors
from choir.memory.vault import Vault
from choir.memory.vector_index import SearchFilter, VectorIndex
from choir.primitives.signatures import SigningKey

_CACHED_SEARCHES: Final = 1000
_CACHE_SECONDS: Final = 3600
_OPENING_SECONDS: Final = 15
_ATTACH_SECONDS: Final = (1, 5, 30)
_HIDING_PAUSE_SECONDS: Final = 1
_HIDING_EVENTS: Final = frozenset({"privacy_changed", "message_erased"})

_SearchKey = tuple[str, SearchFilter, int]

_log = structlog.get_logger("choir.memory")


class SearchUnavailable(RuntimeError):
    """Search is not open yet, or could not be opened; everything else works."""


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
    """Everything the memory does for a node. Records and projections are there at once; search opens behind them, since
    an embedder takes a second to load."""

    def __init__(self, directory: Path, node_key: SigningKey) -> None:
        """Open or make the memory's file. Raises ``MemoryUnusable``."""
        self._directory = directory
        self._database = Database(directory / "memory.db")
        self._node = node_key.address
        self._vault = Vault(node_key)
        self._database.write(self._vault.prepare, is_durable=False)
        self.records = RecordStore(self._database, self._vault)
        self.projection = Projection(self._database, self._vault)
        self.holdings = Holdings(self._database, self._vault)
        self._indexer: Indexer | None = None
        self._prober: Prober | None = None
        self._search: HybridSearch | None = None
        self._vectors: VectorIndex | None = None
        self._was_asked = asyncio.Event()  # the vector index, whether it answered or not
        self._is_attached = asyncio.Event()
        self._opening: asyncio.Task[None] | None = None
        self._cache: OrderedDict[_SearchKey, tuple[float, SearchResult]] = OrderedDict()
        self._generation = 0
        # Content hashes that an index failed to take out, and the task that tries again.
        self._still_indexed: set[str] = set()
        self._hiding: asyncio.Task[None] | None = None
        self._stack = contextlib.AsyncExitStack()

    def start_search(self, embedder: str, vector_index: str) -> None:
        """Begin to open search; ``embedder`` and ``vector_index`` are settings of the node."""
        self._opening = asyncio.create_task(self._open_search(embedder, vector_index), name="choir-search")

    async def close(self) -> None:
        """Stop indexing and close every file."""
        if self._opening is not None:
            self._opening.cancel()
            await asyncio.gather(self._opening, return_exceptions=True)
        if self._hiding is not None:
            await _cancel(self._hiding)
        await self._stack.aclose()
        self._database.close()

    async def _open_search(self, embedder: str, vector_index: str) -> None:
        try:
            await self._open_parts(embedder, vector_index)
        except Exception as error:
            _log.exception("search could not be opened", reason=str(error))

    async def _open_parts(self, embedder: str, vector_index: str) -> None:
        """Words first: they are in the records' own file, while the vector index may be away."""
        loaded = await load_embedder(embedder)
        self._stack.push_async_callback(loaded.aclose)
        self._stack.push_async_callback(self._close_index)
        indexer = await asyncio.to_thread(Indexer, self._database, self._vault, loaded, self._forget_searches)
        # From here on `apply` restricts; what was hidden before is in the records already.
        self._indexer = indexer
        # What was hidden just before the node last stopped may still be in an index.
        await indexer.restrict_waiting()
        reader = sqlite3.connect(self._directory / "memory.db", isolation_level=None, check_same_thread=False)
        self._stack.callback(reader.close)
        reader.execute("PRAGMA query_only = 1")
        keywords = KeywordSearch(reader, self._vault.term_key(), indexer.keyword_changes)
        await asyncio.to_thread(keywords.prepare)
        search = HybridSearch(loaded, None, keywords, asyncio.get_running_loop().time)
        self._stack.callback(search.close)
        self._stack.push_async_callback(indexer.close)
        self._start(indexer.run(), "choir-indexer")
        self._start(self._attach(vector_index, indexer, search), "choir-index")
        self._search = search
        await asyncio.to_thread(indexer.tell_of_others)

    def _start(self, work: Coroutine[Any, Any, None], name: str) -> None:
        self._stack.push_async_callback(_cancel, asyncio.create_task(work, name=name))

    async def _attach(self, name: str, indexer: Indexer, search: HybridSearch) -> None:
        """Open the vector index, ever later again while that fails, and search it from then on."""
        for pause_seconds in itertools.chain(_ATTACH_SECONDS, itertools.repeat(_ATTACH_SECONDS[-1])):
            try:
                if self._vectors is None:
                    self._vectors = await self._open_index(name, indexer)
                await indexer.join(self._vectors)
            except Exception as error:  # whatever it is, words answer meanwhile
                _log.warning("search goes by words, without its index", reason=repr(error), retry_seconds=pause_seconds)
                self._was_asked.set()
                await asyncio.sleep(pause_seconds)
                continue
            self._prober = Prober(self._database, indexer.embeddings, self._vectors)
            search.attach(self._vectors)
            self._was_asked.set()
            self._is_attached.set()
            return

    async def _open_index(self, name: str, indexer: Indexer) -> VectorIndex:
        return await open_index(
            name,
            self._directory,
            indexer.embeddings.embedder,
            indexer.embeddings.dimensions,
            indexer.points,
            indexer.count_points,
            indexer.embeddings.similarities,
            self._node,
            indexer.count_embedded,
        )

    async def _close_index(self) -> None:
        self._was_asked.set()  # nobody is to wait for it any more
        if self._vectors is not None:
            await self._vectors.aclose()

    async def search_ready(self) -> HybridSearch:
        """Search, once it is open, by words at least. Raises ``SearchUnavailable`` when it cannot be, or not soon; its
        message is for whoever asks, the cause is in the log."""
        if self._search is None:
            if self._opening is None:
                raise SearchUnavailable("search was not started")
            await asyncio.wait([self._opening], timeout=_OPENING_SECONDS)
            if self._search is None:
                raise SearchUnavailable("search is not open: try again later")
        return self._search

    async def prober(self) -> Prober:
        """What compares the vector index with the records. Waits for search to be open, however long that takes; raises
        ``SearchUnavailable`` when it cannot be, or the vector index is away."""
        if self._opening is not None:
            await asyncio.wait([self._opening])
        if self._search is not None:
            await self._was_asked.wait()
        if self._prober is None:
            raise SearchUnavailable("search could not be opened")
        return self._prober

    async def indexed(self) -> None:
        """Wait until every record is in every index, which an index that is away puts off. Raises
        ``SearchUnavailable``."""
        await self.search_ready()
        await self._is_attached.wait()
        if self._indexer is not None:
            await self._indexer.idle()

    async def optimised(self) -> None:
        """Wait until the vector index is in order after its growth. Raises ``SearchUnavailable``."""
        await self.search_ready()
        await self._is_attached.wait()
        if self._indexer is not None:
            await self._indexer.optimised()

    async def apply(self, events: Sequence[LedgerEvent], *, is_repeated: bool = False) -> None:
        """Follow the ledger: the projections first; what was hidden is out of every index when this returns, or nothing
        is searched until it is. ``is_repeated`` after a failure, which may have come when the projections had them
        already. Raises ``sqlite3.Error``, to be repeated; what else fails in an index does not stop the ledger."""
        await asyncio.to_thread(self.projection.apply, events, is_repeated=is_repeated)
        hidden = [event.fields["content_hash"] for event in events if event.fields["type"] in _HIDING_EVENTS]
        if self._indexer is not None:
            if hidden:
                await self._hide(self._indexer, hidden)
            self._indexer.wake()

    async def _hide(self, indexer: Indexer, content_hashes: Sequence[str]) -> None:
        """Out of every index, with what is still in one. Where that fails, it is tried again beside whatever else."""
        hashes = sorted({*self._still_indexed, *content_hashes})
        try:
            await indexer.restrict(hashes)
        except sqlite3.Error:  # a full disk passes: the follower comes again with the same events
            self._still_indexed.update(hashes)
            raise
        except Exception:
            self._still_indexed.update(hashes)
            _log.exception("hidden messages are still in an index: nothing is searched until they are not")
            if self._hiding is None or self._hiding.done():
                self._hiding = asyncio.create_task(self._hide_again(indexer), name="choir-hiding")
        else:
            self._still_indexed.difference_update(hashes)

    async def _hide_again(self, indexer: Indexer) -> None:
        while self._still_indexed:
            await asyncio.sleep(_HIDING_PAUSE_SECONDS)
            hashes = sorted(self._still_indexed)
            try:
                await indexer.restrict(hashes)
            except Exception as error:
                _log.warning("hidden messages are still in an index", reason=repr(error))
            else:
                self._still_indexed.difference_update(hashes)

    def _check_hidden(self) -> None:
        if self._still_indexed:
            raise SearchUnavailable("hidden messages are being taken out of the indexes; try again in a moment")

    async def search(self, query: str, search_filter: SearchFilter, k: int) -> Answer:
        """The k best messages that the filter admits. Raises ``QueryError`` and ``SearchUnavailable``."""
        self._check_hidden()
        key = (query, search_filter, k)
        generation = self._generation
        result, records = self._cached(key), dict[int, Record]()
        if result is None:
            search = await self.search_ready()
            generation = self._generation
            result, records = await search.search_and_read(query, search_filter, k, self.records.by_ids)
            self._keep(key, generation, result)
        if generation != self._generation or not records:  # of what is hidden meanwhile, no copy may be left
            records = await asyncio.to_thread(self.records.by_ids, [hit.point_id for hit in result.hits])
        found = [Found(hit, records[hit.point_id]) for hit in result.hits if hit.point_id in records]
        # Between the search and this line a record may have become less visible.
        found = [f for f in found if search_filter.matches(*_payload(f.record)) and not f.record.is_erased]
        return Answer(found, result.vectors_used, result.query_cut)

    async def suggest(self, draft: str, search_filter: SearchFilter, k: int) -> list[tuple[Suggestion, Record]]:
        """Priors for a draft. Raises ``QueryError`` and ``SearchUnavailable``."""
        self._check_hidden()
        search = await self.search_ready()
        suggestions = await suggest_priors(search, self._citations, draft, search_filter, k)
        records = await asyncio.to_thread(self.records.by_ids, [s.point_id for s in suggestions])
        pairs = [(s, records[s.point_id]) for s in suggestions if s.point_id in records]
        return [(s, r) for s, r in pairs if search_filter.matches(*_payload(r)) and not r.is_erased]

    async def phases(self, query: str, thread_id: str, content_hashes: Sequence[str]) -> dict[str, float]:
        """The phase between a query asked in a thread and messages; only where both have an embedding and the thread
        has a centroid."""
        if self._indexer is None or self._search is None:
            return {}
        vector = await self._search.embedded(query)
        return {} if vector is None else await self._indexer.phases(vector, thread_id, content_hashes)

    async def _citations(self, ids: Sequence[int], search_filter: SearchFilter) -> Mapping[int, Sequence[int]]:
        def read() -> dict[int, list[int]]:
            citing = self.records.by_ids(ids)
            cited = self.records.by_hashes(sorted({p for record in citing.values() for p in record.priors}))
            admitted = {h: r.id for h, r in cited.items() if search_filter.matches(*_payload(r))}
            return {i: [admitted[p] for p in record.priors if p in admitted] for i, record in citing.items()}

        return await asyncio.to_thread(read)

    def _cached(self, key: _SearchKey) -> SearchResult | None:
        cached = self._cache.get(key)
        if cached is None or asyncio.get_running_loop().time() - cached[0] >= _CACHE_SECONDS:
            return None
        self._cache.move_to_end(key)
        return cached[1]

    def _keep(self, key: _SearchKey, generation: int, result: SearchResult) -> None:
        """An answer from ``generation``, unless an index has changed since."""
        if generation == self._generation and result.vectors_used:
            self._cache[key] = (asyncio.get_running_loop().time(), result)
            if len(self._cache) > _CACHED_SEARCHES:
                self._cache.popitem(last=False)

    def _forget_searches(self) -> None:
        """Whatever changes an index ends the life of every cached answer."""
        self._generation += 1
        self._cache.clear()


def _payload(record: Record) -> tuple[str, str, int, str]:
    return record.thread_id, record.author, record.created_at_ms, record.privacy


async def _cancel(task: "asyncio.Task[None]") -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
