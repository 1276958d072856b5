"""Hybrid search over the real embedder and indexes; only the failures are made."""

from collections.abc import Mapping, Sequence

import pytest

from choir.memory.embedding import EmbeddingError, Vectors
from choir.memory.fusion import SUPPORT
from choir.memory.search import QueryError
from choir.memory.suggest import rank_priors, suggest_priors
from choir.memory.vector_index import IndexUnavailable, SearchFilter
from choir.primitives.queries import MAXIMUM_QUERY_CHARACTERS
from tests.memory.parts import EVERYONE, MESSAGES, Parts


async def test_finds_by_words_and_by_meaning(parts: Parts) -> None:
    result = await parts.search.search("fee market blobs", EVERYONE, 10)
    assert result.vectors_used
    assert [hit.point_id for hit in result.hits[:2]] == [0, 1]
    best = result.hits[0]
    assert 0 < best.score <= 1
    assert best.similarity is not None
    assert 0 < best.similarity <= 1
    assert best.keyword_score > 0
    assert 5 not in [hit.point_id for hit in result.hits]
    by_meaning = await parts.search.search("boiling spaghetti", EVERYONE, 3)
    assert by_meaning.hits[0].point_id == 6
    assert by_meaning.hits[0].keyword_score == 0


async def test_every_hit_carries_both_scores(parts: Parts) -> None:
    result = await parts.search.search("blobs", SearchFilter(levels=frozenset({"public", "premium", "thread"})), 100)
    assert {hit.point_id for hit in result.hits} == set(range(7))
    assert all(hit.similarity is not None for hit in result.hits)


async def test_private_messages_change_nothing(parts: Parts) -> None:
    bare = Parts()
    await bare.fill([message for message in MESSAGES if message[2] == "public"])
    for query in ("blob fee market", "Tuesday", "deeds of tokens"):
        found = await parts.search.search(query, EVERYONE, 100)
        alone = await bare.search.search(query, EVERYONE, 100)
        texts = [
            [MESSAGES[hit.point_id][1] for hit in found.hits],
            [[m for m in MESSAGES if m[2] == "public"][hit.point_id][1] for hit in alone.hits],
        ]
        assert texts[0] == texts[1]
        assert [hit.score for hit in found.hits] == [hit.score for hit in alone.hits]
        assert [hit.keyword_score for hit in found.hits] == [hit.keyword_score for hit in alone.hits]
    bare.search.close()
    await bare.vectors.aclose()
    bare.connection.close()


async def test_filters(parts: Parts) -> None:
    async def ids(**fields: object) -> set[int]:
        found = await parts.search.search("blob fee token vote", SearchFilter(**fields), 100)
        return {hit.point_id for hit in found.hits}

    assert await ids() == {0, 1, 2, 4, 6}
    assert await ids(levels=frozenset({"public", "premium"})) == {0, 1, 2, 3, 4, 6}
    assert await ids(own_threads=frozenset({"secret"})) == {0, 1, 2, 4, 5, 6}
    assert await ids(levels=frozenset(), own_threads=frozenset({"secret"})) == {5}
    assert await ids(levels=frozenset()) == set()
    assert await ids(thread_id="fees") == {0, 1}
    assert await ids(thread_id="no such thread") == set()
    assert await ids(since_ms=2, until_ms=5) == {2, 4}


async def test_a_thread_that_says_more_comes_first(parts: Parts) -> None:
    """And what one may not read supports nothing: it would tell that it is there."""
    parts.keywords.remove(range(len(MESSAGES)))
    await parts.vectors.delete(range(len(MESSAGES)))
    texts = ("alone", "Blobs have a fee market", "public"), ("more", "Blobs have a fee market", "public")
    await parts.fill([*texts, ("more", "A fee was paid yesterday", "thread")])

    async def ids(search_filter: SearchFilter) -> list[int]:
        return [hit.point_id for hit in (await parts.search.search("fee market for blobs", search_filter, 2)).hits]

    assert await ids(EVERYONE) == [0, 1]
    assert await ids(SearchFilter(own_threads=frozenset({"more"}))) == [1, 0]


async def test_the_same_query_has_the_same_answer(parts: Parts) -> None:
    answers = [await parts.search.search("token fees", EVERYONE, 5) for _ in range(5)]
    assert all(answer == answers[0] for answer in answers)


async def test_keywords_answer_while_vectors_cannot(parts: Parts) -> None:
    await parts.vectors.aclose()
    result = await parts.search.search("fee market blobs", EVERYONE, 10)
    assert not result.vectors_used
    assert [hit.point_id for hit in result.hits] == [0, 1]
    assert result.hits[0].similarity is None
    first, second = result.hits
    assert first.score == pytest.approx((1 + SUPPORT * second.keyword_score / first.keyword_score) / 1.2, abs=1e-6)


async def test_keywords_answer_while_the_embedder_fails(parts: Parts, monkeypatch: pytest.MonkeyPatch) -> None:
    async def fail(texts: Sequence[str]) -> Vectors:
        raise EmbeddingError("endpoint down", retryable=True)

    monkeypatch.setattr(type(parts.embedder), "embed", lambda self, texts: fail(texts))
    result = await parts.search.search("blobs", EVERYONE, 10)
    assert not result.vectors_used
    assert {hit.point_id for hit in result.hits} == {0, 1}


@pytest.mark.parametrize("k", [0, -1, 101, 10**9])
async def test_k_out_of_bounds(parts: Parts, k: int) -> None:
    with pytest.raises(QueryError, match="between 1 and 100"):
        await parts.search.search("blobs", EVERYONE, k)


@pytest.mark.parametrize(
    "query", ["", "  \n\t ", "\u200b\u200e", "\x00\x01", "\u2800", "\ufe0f", "\ud800", "blob\udfff"]
)
async def test_queries_of_nothing(parts: Parts, query: str) -> None:
    with pytest.raises(QueryError):
        await parts.search.search(query, EVERYONE, 5)


@pytest.mark.parametrize("query", ["???", "\u202eblobs", "البيانات", '"fee" OR *', "x" * 100_000, "fee\x00market"])
async def test_odd_queries_have_clear_answers(parts: Parts, query: str) -> None:
    result = await parts.search.search(query, EVERYONE, 5)
    assert len(result.hits) <= 5
    assert result.query_cut == (len(query) > MAXIMUM_QUERY_CHARACTERS)


async def test_ten_thousand_words_are_cut_and_answered(parts: Parts) -> None:
    result = await parts.search.search("blob fee market " * 4_000, EVERYONE, 5)
    assert result.query_cut
    assert result.hits[0].point_id == 0


async def test_suggestions_come_from_likeness_and_from_votes(parts: Parts) -> None:
    async def citations(point_ids: Sequence[int], search_filter: SearchFilter) -> Mapping[int, Sequence[int]]:
        return {point_id: [4] for point_id in point_ids if point_id in {0, 1}}

    found = await suggest_priors(parts.search, citations, "pricing of blob data", EVERYONE, 3)
    assert len(found) == 3
    assert 4 in [suggestion.point_id for suggestion in found], "cited by what is alike"
    assert found == sorted(found, key=lambda s: (-s.score, s.point_id))


def test_votes_lift_what_neighbours_cite() -> None:
    likeness = [(1, 0.9), (2, 0.8), (3, 0.1)]
    ranking = rank_priors(likeness, {1: [7, 7], 2: [7, 8]}, 10)
    assert [(s.point_id, s.votes) for s in ranking if s.votes] == [(7, 1.0), (8, pytest.approx(0.8 / 1.7))]
    assert [s.point_id for s in rank_priors(likeness, {}, 2)] == [1, 2]
    assert rank_priors([], {}, 5) == []


class _Away:
    """A question to an index that went away before it could be sent."""

    def begin(self) -> bool:
        raise IndexUnavailable("the vector index is being rebuilt")

    def similarities(self, named: Sequence[int]) -> dict[int, float]:
        raise AssertionError("asked nevertheless")


async def test_words_answer_where_the_index_cannot_be_asked(parts: Parts, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parts.vectors, "ask", lambda *_: _Away())
    result = await parts.search.search("fee market blobs", EVERYONE, 10)
    assert not result.vectors_used
    assert [hit.point_id for hit in result.hits] == [0, 1]
