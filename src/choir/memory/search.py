"""Hybrid search: keywords and vectors, one filter, one deterministic order (memory.md, Search)."""

import asyncio
import unicodedata
from concurrent.futures import ThreadPoolExecutor

import msgspec
import structlog

from choir.memory.embedding import Embedder, EmbeddingError, split_pieces
from choir.memory.fusion import fuse
from choir.memory.keyword_search import KeywordSearch, Scores, scores_of
from choir.memory.vector_index import IndexUnavailable, ScoredId, SearchFilter, VectorIndex

MAXIMUM_K = 100
MAXIMUM_QUERY_CHARACTERS = 8_192  # more is cut, and the result says so
CANDIDATES = 50  # from each side, at least

_ByWords = tuple[Scores, list[ScoredId]]

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
    """Composes what it is given and owns none of it, but a thread for the keyword index.

    `keywords` must sit on a connection of its own opened with check_same_thread=False.
    """

    def __init__(self, embedder: Embedder, vectors: VectorIndex, keywords: KeywordSearch) -> None:
        self._embedder = embedder
        self._vectors = vectors
        self._keywords = keywords
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="keyword-search")

    async def search(self, query: str, search_filter: SearchFilter, k: int) -> SearchResult:
        """At most k hits (1…100), best first, equal scores by id. Raises QueryError."""
        if not 1 <= k <= MAXIMUM_K:
            raise QueryError(f"k must be between 1 and {MAXIMUM_K}, not {k}")
        text, cut = checked_query(query)
        if search_filter.finds_nothing:
            return SearchResult([], vectors_used=True, query_cut=cut)
        count = max(k, CANDIDATES)
        by_words = asyncio.get_running_loop().run_in_executor(
            self._thread, self._keyword_candidates, text, search_filter, count
        )
        similarity = await self._similarities(text, search_filter, count, by_words)
        totals, by_keyword = await by_words
        hits = _fused_hits(totals, by_keyword, similarity, self._embedder.keyword_weight, k)
        return SearchResult(hits, vectors_used=similarity is not None, query_cut=cut)

    def close(self) -> None:
        self._thread.shutdown(wait=True)

    def _keyword_candidates(self, text: str, search_filter: SearchFilter, count: int) -> _ByWords:
        totals = self._keywords.scores(text)
        return totals, self._keywords.best(totals, search_filter, count)

    async def _similarities(
        self, text: str, search_filter: SearchFilter, count: int, by_words: "asyncio.Future[_ByWords]"
    ) -> dict[int, float] | None:
        """Similarity of the nearest messages, and of those that keywords found. None where no vector could be made or
        searched: keywords answer alone."""
        try:
            vector = (await self._embedder.embed([text]))[0]
            # The nearest take longest. While they are looked for, keywords are; then both questions are on their way.
            nearest = asyncio.ensure_future(self._vectors.search(vector, search_filter, count))
            _, by_keyword = await by_words
            named = [point_id for point_id, _ in by_keyword]
            of_words, of_meaning = await asyncio.gather(
                self._vectors.search(vector, search_filter, count, named), nearest
            )
        except (EmbeddingError, IndexUnavailable) as error:
            log.warning("search without vectors", reason=str(error))
            return None
        return dict(of_words) | dict(of_meaning)


def checked_query(query: str) -> tuple[str, bool]:
    """The query in NFC, cut at a word boundary if too long, and whether it was.

    Raises QueryError if it is empty.
    """
    visible = "".join(" " if unicodedata.category(character) == "Cc" else character for character in query)
    text = unicodedata.normalize("NFC", visible).strip()
    if not any(unicodedata.category(character)[0] in "LNSPM" for character in text):
        raise QueryError("the query is empty")
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise QueryError("the query is not valid Unicode") from error
    return split_pieces(text, MAXIMUM_QUERY_CHARACTERS)[0], len(text) > MAXIMUM_QUERY_CHARACTERS


def _fused_hits(
    totals: Scores, by_keyword: list[ScoredId], similarity: dict[int, float] | None, keyword_weight: float, k: int
) -> list[Hit]:
    keyword = dict(by_keyword)
    if similarity is None:
        return [Hit(point_id, score, None, keyword[point_id]) for point_id, score in fuse(keyword, {}, 1.0)[:k]]
    keyword |= scores_of(totals, list(similarity))
    return [
        Hit(point_id, score, similarity.get(point_id), keyword.get(point_id, 0.0))
        for point_id, score in fuse(keyword, similarity, keyword_weight)[:k]
    ]
