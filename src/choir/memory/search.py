"""Hybrid search: keywords and vectors, one filter, one deterministic order (memory.md, Search)."""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TypeVar

import msgspec
import numpy as np
import structlog

from choir.memory.embedding import Embedder, EmbeddingError
from choir.memory.fusion import fuse, supported
from choir.memory.keyword_search import KeywordSearch, scores_at
from choir.memory.rest import Clock, Rest
from choir.memory.text import has_ink
from choir.memory.vector_index import (
    Asked,
    IndexTooSlow,
    IndexUnavailable,
    ScoredId,
    Scores,
    SearchFilter,
    Vector,
    VectorIndex,
    best_first,
    rounded_scores,
)
from choir.memory.work_thread import WorkThread
from choir.primitives.queries import cut_query

MAXIMUM_K = 100
CANDIDATES = 50  # from each side, at least
EMBEDDING_SECONDS = 1.5  # somebody waits, and keywords alone find something too

T = TypeVar("T")
Reader = Callable[[Sequence[int]], Mapping[int, T]]

log = structlog.get_logger()


class QueryError(ValueError):
    """The search cannot be understood; the message says what to change."""


class Hit(msgspec.Struct, frozen=True):
    """`score` 0…1 orders the hits. `similarity` is the cosine, None where vectors were unavailable."""

    point_id: int
    score: float
    similarity: float | None
    keyword_score: float


class SearchResult(msgspec.Struct, frozen=True):
    """`vectors_used` is False if only keywords could answer, `query_cut` True if the query was too long."""

    hits: list[Hit]
    vectors_used: bool
    query_cut: bool


class HybridSearch:
    """Composes what it is given and owns none of it, but a thread on which a search goes from its words to its hits.

    `keywords` must sit on a connection of its own opened with check_same_thread=False. Without `vectors`, keywords
    answer until some are attached. An embedder or an index that kept a search waiting in vain is not asked again before
    the rest of REST_SECONDS by `clock` is over.
    """

    def __init__(
        self,
        embedder: Embedder,
        vectors: VectorIndex | None,
        keywords: KeywordSearch,
        clock: Clock = time.monotonic,
    ) -> None:
        self._embedder = embedder
        self._vectors = vectors
        self._keywords = keywords
        self._embedder_rest = Rest(clock)
        self._index_rest = Rest(clock)
        self._thread = WorkThread("search")

    def attach(self, vectors: VectorIndex) -> None:
        """The vector index to search from now on."""
        self._vectors = vectors

    async def search(self, query: str, search_filter: SearchFilter, k: int) -> SearchResult:
        """At most k hits (1…100), best first, equal scores by id. Raises QueryError."""
        return (await self.search_and_read(query, search_filter, k, lambda _ids: {}))[0]

    async def search_and_read(
        self, query: str, search_filter: SearchFilter, k: int, read: Reader[T]
    ) -> tuple[SearchResult, dict[int, T]]:
        """The hits, and what ``read`` gives for their ids. It is called on the search's thread: for hits that are
        likely while vectors are looked for, then for the rest. Raises QueryError."""
        if not 1 <= k <= MAXIMUM_K:
            raise QueryError(f"k must be between 1 and {MAXIMUM_K}, not {k}")
        text, cut = checked_query(query)
        if search_filter.finds_nothing:
            return SearchResult([], vectors_used=True, query_cut=cut), {}
        words = _Words(self._keywords, text, search_filter, k, self._embedder.keyword_weight)
        asked, similarity = await self._asked(text, search_filter, words)
        work = partial(_answered, words, asked, similarity, read, self._index_failed)
        hits, found, vectors_used = await self._thread.run(work)
        return SearchResult(hits, vectors_used, query_cut=cut), found

    def close(self) -> None:
        self._thread.close()

    async def embedded(self, text: str) -> Vector | None:
        """The vector of a query, or None where the embedder has none to give soon."""
        if self._embedder_rest.is_on:
            return None
        try:
            async with asyncio.timeout(EMBEDDING_SECONDS):
                vector: Vector = (await self._embedder.embed([text]))[0]
                return vector
        except TimeoutError:
            self._embedder_rest.begin()
            _warn(f"the embedder took more than {EMBEDDING_SECONDS:g} s")
        except EmbeddingError as error:
            if error.retryable:  # else it is about this text, and was said at once
                self._embedder_rest.begin()
            _warn(str(error))
        return None

    async def _asked(
        self, text: str, search_filter: SearchFilter, words: "_Words"
    ) -> tuple[Asked | None, dict[int, float] | None]:
        """What the index was asked, or what it has answered; neither where it cannot be asked."""
        if self._vectors is None or self._index_rest.is_on:
            return None, None
        vector = await self.embedded(text)
        if vector is None:
            return None, None
        try:
            asked = self._vectors.ask(vector, search_filter, words.count)
            if asked is not None:
                return asked, None
            return None, await self._similarities_meanwhile(self._vectors, vector, search_filter, words)
        except IndexUnavailable as error:
            self._index_failed(error)
            return None, None

    def _index_failed(self, error: IndexUnavailable) -> None:
        """Called on any thread."""
        if isinstance(error, IndexTooSlow):  # one that refuses at once keeps nobody waiting
            self._index_rest.begin()
        _warn(str(error))

    async def _similarities_meanwhile(
        self, vectors: VectorIndex, vector: Vector, search_filter: SearchFilter, words: "_Words"
    ) -> dict[int, float]:
        """From an index that only the event loop asks. Both questions are on their way at once: the nearest take
        longest, and while they are looked for, keywords are."""
        nearest = asyncio.ensure_future(vectors.search(vector, search_filter, words.count))
        await self._thread.run(words.find)
        of_words, of_meaning = await asyncio.gather(
            vectors.search(vector, search_filter, words.count, words.ids()), nearest
        )
        return dict(of_words) | dict(of_meaning)


class _Words:
    """What a search's words find; and its hits, once similarities are known. For the search's thread."""

    def __init__(
        self, keywords: KeywordSearch, text: str, search_filter: SearchFilter, k: int, keyword_weight: float
    ) -> None:
        self._keywords = keywords
        self._text = text
        self._filter = search_filter
        self._k = k
        self._keyword_weight = keyword_weight
        self._totals: Scores | None = None
        self._best: list[ScoredId] = []
        self.count = max(k, CANDIDATES)

    def find(self) -> Scores:
        """Score every message, and take the best; once."""
        if self._totals is None:
            self._totals = self._keywords.scores(self._text, self._filter)
            self._best = self._keywords.best(self._totals, self._filter, self.count)
        return self._totals

    def ids(self, count: int | None = None) -> list[int]:
        """The best, or the first ``count`` of them, once found."""
        return [point_id for point_id, _ in self._best[:count]]

    def likely(self) -> list[int]:
        """Those that will be among the hits, mostly."""
        return self.ids(self._k)

    def hits(self, similarity: dict[int, float] | None) -> list[Hit]:
        """The first k. Without similarities words alone decide."""
        totals = self.find()  # before `ids`: an index that was away when it was asked leaves nothing found yet
        known, weight = ({}, 1.0) if similarity is None else (similarity, self._keyword_weight)
        point_ids = np.array([*known, *(point_id for point_id in self.ids() if point_id not in known)], np.int64)
        meaning = np.zeros(len(point_ids))
        meaning[: len(known)] = list(known.values())
        keyword = scores_at(totals, point_ids)
        fused = fuse(keyword, meaning, weight)
        scores = rounded_scores(supported(point_ids, fused, self._keywords.threads_of(point_ids)))
        first = best_first(point_ids, scores)[: self._k]
        found = zip(point_ids[first].tolist(), scores[first].tolist(), keyword[first].tolist(), strict=True)
        return [Hit(point_id, score, known.get(point_id), of_words) for point_id, score, of_words in found]


def _answered(
    words: _Words,
    asked: Asked | None,
    similarity: dict[int, float] | None,
    read: Reader[T],
    index_failed: Callable[[IndexUnavailable], None],
) -> tuple[list[Hit], dict[int, T], bool]:
    """Hits, what was read for them, and whether vectors were used. While the index is at work, everything is done that
    does not need its answer."""
    found: dict[int, T] = {}
    if asked is None:
        words.find()
    else:
        try:
            has_time = asked.begin()
            words.find()
            if has_time:
                found |= read(words.likely())
            similarity = asked.similarities(words.ids())
        except IndexUnavailable as error:
            index_failed(error)
    hits = words.hits(similarity)
    missing = [hit.point_id for hit in hits if hit.point_id not in found]
    if missing:
        found |= read(missing)
    return hits, found, similarity is not None


def _warn(reason: str) -> None:
    log.warning("search without vectors", reason=reason)


def checked_query(query: str) -> tuple[str, bool]:
    """The query as `cut_query` gives it, and whether it was cut.

    Raises QueryError if nothing of it can be seen.
    """
    text, cut = cut_query(query)
    if not any(has_ink(character) for character in text):
        raise QueryError("the query is empty")
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise QueryError("the query is not valid Unicode") from error
    return text, cut
