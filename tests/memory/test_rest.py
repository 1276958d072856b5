"""Words answer soon, whatever the embedder or the vector index do, and meaning comes back by itself."""

import asyncio
from collections.abc import Callable, Sequence

import pytest

from choir.memory import search as searching
from choir.memory.embedding import EmbeddingError, Vectors
from choir.memory.keyword_search import KeywordSearch
from choir.memory.rest import REST_SECONDS, Rest
from choir.memory.search import HybridSearch
from choir.memory.suggest import suggest_priors
from choir.memory.vector_index import Asked, IndexTooSlow, IndexUnavailable, ScoredId, SearchFilter, Vector
from tests.memory.parts import EVERYONE, Parts
from tests.support.patience import PATIENCE_SECONDS


class Clock:
    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


class Scripted:
    """The embedder and the index of `Parts`, of which each call first goes through what a test sets."""

    def __init__(self, parts: Parts) -> None:
        self.parts = parts
        self.embedder_fails: Callable[[], BaseException | None] = lambda: None
        self.index_fails: Callable[[], BaseException | None] = lambda: None
        self.hangs = False
        self.embedded = 0
        self.searched = 0
        self.name, self.version = parts.embedder.name, parts.embedder.version
        self.dimensions, self.keyword_weight = parts.embedder.dimensions, parts.embedder.keyword_weight

    async def embed(self, texts: Sequence[str]) -> Vectors:
        self.embedded += 1
        if self.hangs:
            await asyncio.Event().wait()
        if error := self.embedder_fails():
            raise error
        return await self.parts.embedder.embed(texts)

    def ask(self, vector: Vector, search_filter: SearchFilter, k: int) -> Asked | None:
        """As a server."""

    async def search(
        self, vector: Vector, search_filter: SearchFilter, k: int, among: Sequence[int] | None = None
    ) -> list[ScoredId]:
        self.searched += 1
        if error := self.index_fails():
            raise error
        return await self.parts.vectors.search(vector, search_filter, k, among)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def scripted(parts: Parts, clock: Clock) -> Scripted:
    made = Scripted(parts)
    keywords: KeywordSearch = parts.search._keywords
    parts.search.close()
    parts.search = HybridSearch(made, made, keywords, clock)  # type: ignore[arg-type]  what a search needs of them
    return made


async def found(parts: Parts) -> tuple[bool, int]:
    """Whether vectors were used, and the best hit."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        result = await parts.search.search("fee market for blobs", EVERYONE, 5)
    return result.vectors_used, result.hits[0].point_id


def test_a_rest_is_over_after_its_time(clock: Clock) -> None:
    rest = Rest(clock)
    assert not rest.is_on
    rest.begin()
    assert rest.is_on
    clock.now += REST_SECONDS - 1
    assert rest.is_on
    rest.begin()  # it failed again: asked before the first failure was known
    clock.now += REST_SECONDS - 1
    assert rest.is_on
    clock.now += 1
    assert not rest.is_on


async def test_an_embedder_that_hangs(
    parts: Parts, scripted: Scripted, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(searching, "EMBEDDING_SECONDS", 0.05)
    scripted.hangs = True
    assert await found(parts) == (False, 0)
    monkeypatch.undo()
    scripted.hangs = False
    assert await found(parts) == (False, 0)
    assert await parts.search.embedded("fees") is None
    assert scripted.embedded == 1, "it rests"
    clock.now += REST_SECONDS
    assert await found(parts) == (True, 0)
    assert await parts.search.embedded("fees") is not None


async def test_an_embedder_that_fails_is_left_alone_by_suggestions_too(
    parts: Parts, scripted: Scripted, clock: Clock
) -> None:
    async def citations(_ids: Sequence[int], _filter: SearchFilter) -> dict[int, Sequence[int]]:
        return {}

    scripted.embedder_fails = lambda: EmbeddingError("said 500", retryable=True)
    for _ in range(3):
        suggestions = await suggest_priors(parts.search, citations, "fee market for blobs", EVERYONE, 3)
        assert suggestions[0].point_id == 0
    assert await found(parts) == (False, 0)
    assert scripted.embedded == 1
    clock.now += REST_SECONDS
    assert await found(parts) == (False, 0)
    assert scripted.embedded == 2


async def test_a_text_that_is_refused_costs_other_searches_nothing(parts: Parts, scripted: Scripted) -> None:
    scripted.embedder_fails = lambda: EmbeddingError("said 400")
    assert await found(parts) == (False, 0)
    scripted.embedder_fails = lambda: None
    assert await found(parts) == (True, 0)


async def test_an_index_that_hangs(parts: Parts, scripted: Scripted, clock: Clock) -> None:
    scripted.index_fails = lambda: IndexTooSlow("did not answer")
    assert await found(parts) == (False, 0)
    asked = scripted.searched
    scripted.index_fails = lambda: None
    assert await found(parts) == (False, 0)
    assert scripted.searched == asked
    clock.now += REST_SECONDS
    assert await found(parts) == (True, 0)


async def test_an_index_that_says_at_once_that_it_is_away_is_asked_each_time(parts: Parts, scripted: Scripted) -> None:
    scripted.index_fails = lambda: IndexUnavailable("rebuilt")
    assert await found(parts) == (False, 0)
    scripted.index_fails = lambda: None
    assert await found(parts) == (True, 0)


async def test_without_an_index_words_answer_and_the_embedder_is_not_asked(parts: Parts, scripted: Scripted) -> None:
    keywords = parts.search._keywords
    parts.search.close()
    parts.search = HybridSearch(scripted, None, keywords)
    assert await found(parts) == (False, 0)
    assert scripted.embedded == 0
    parts.search.attach(parts.vectors)
    assert await found(parts) == (True, 0)
