"""What every vector index must do, over all adapters."""

import asyncio
import itertools

import msgspec
import numpy as np
import pytest

from choir.memory.vector_index import Asked, IndexUnavailable, Point, SearchFilter, VectorIndex

from .conftest import DIMENSIONS, LEVELS, Records, random_points, unit

# the client's in-memory engine says that it scans; the adapter asks it what it asks a server
pytestmark = pytest.mark.filterwarnings("ignore:Local mode performs exact:UserWarning")

EVERYONE = SearchFilter()
ALL_LEVELS = SearchFilter(levels=frozenset(LEVELS))


def expected(points: list[Point], query: np.ndarray, wanted: SearchFilter, k: int) -> list[tuple[int, float]]:
    readable = [
        (point.point_id, float(point.vector @ query))
        for point in points
        if wanted.matches(point.thread_id, point.author, point.created_at_ms, point.privacy)
    ]
    return sorted(readable, key=lambda pair: -pair[1])[:k]


def filters() -> list[SearchFilter]:
    levels = [frozenset(), frozenset({"public"}), frozenset({"public", "premium"}), frozenset(LEVELS)]
    own = [frozenset(), frozenset({"thread-1", "thread-2"}), frozenset({"thread-unknown"})]
    narrow = [
        {},
        {"thread_id": "thread-1"},
        {"author": "author-2"},
        {"since_ms": 1_700_000_000_300, "until_ms": 1_700_000_000_700},
        {"thread_id": "thread-none"},
        {"author": "' OR 1=1 --"},
    ]
    return [
        SearchFilter(levels=level, own_threads=threads, **rest)
        for level, threads, rest in itertools.product(levels, own, narrow)
    ]


async def test_filtered_search_agrees_with_the_definition(index: VectorIndex, rng: np.random.Generator) -> None:
    points = random_points(rng, 400)
    await index.upsert(points)
    assert await index.count() == 400
    for wanted in filters():
        query = unit(rng)
        found = await index.search(query, wanted, 10)
        best = expected(points, query, wanted, 10)
        assert [point_id for point_id, _ in found] == [point_id for point_id, _ in best], wanted
        assert [score for _, score in found] == pytest.approx([score for _, score in best], abs=1e-4)


async def test_private_points_take_no_place_among_the_best(index: VectorIndex, rng: np.random.Generator) -> None:
    query = unit(rng)
    hidden = [Point(number, query, "t", "a", 1, LEVELS[1 + number % 3]) for number in range(50)]
    await index.upsert([*hidden, Point(99, unit(rng), "t", "a", 1, "public")])
    assert [point_id for point_id, _ in await index.search(query, EVERYONE, 1)] == [99]


async def test_search_among_given_ids(index: VectorIndex, rng: np.random.Generator) -> None:
    points = random_points(rng, 100)
    await index.upsert(points)
    query, among = unit(rng), [3, 5, 7, 11, 13, 17, 19, 23, 777]
    best = expected([point for point in points if point.point_id in among], query, EVERYONE, 100)
    found = await index.search(query, EVERYONE, 100, among)
    assert [point_id for point_id, _ in found] == [point_id for point_id, _ in best]
    assert await index.search(query, EVERYONE, 100, []) == []


async def test_asking_from_a_thread_agrees_with_searching(
    index: VectorIndex, records: Records, rng: np.random.Generator
) -> None:
    points = records.put(random_points(rng, 300))
    await index.upsert(points)
    for wanted, k in itertools.product([EVERYONE, ALL_LEVELS, SearchFilter(thread_id="thread-1")], [3, 50]):
        query = unit(rng)
        named = [point.point_id for point in points[:20]] + [10_000]
        asked = index.ask(query, wanted, k)
        if asked is None:
            pytest.skip("this index is only asked by the event loop")

        def answer(asked: Asked = asked, named: list[int] = named) -> dict[int, float]:
            asked.begin()
            return asked.similarities(named)

        similarities = await asyncio.to_thread(answer)
        nearest = await index.search(query, wanted, k)
        of_named = await index.search(query, wanted, len(named), named)
        assert similarities == pytest.approx(dict(of_named) | dict(nearest), abs=2e-6)


async def test_asking_sees_what_was_written_since_the_search_began(
    index: VectorIndex, records: Records, rng: np.random.Generator
) -> None:
    """A row that is freed and taken again must not lend its product to another message."""
    points = records.put(random_points(rng, 50))
    await index.upsert([msgspec.structs.replace(point, privacy="public") for point in points])
    query = points[7].vector
    asked = index.ask(query, EVERYONE, 100)
    if asked is None:
        pytest.skip("this index is only asked by the event loop")
    await asyncio.to_thread(asked.begin)
    await index.delete([7])
    await index.upsert([Point(1_000, -query, "t", "a", 1, "public")])
    similarities = await asyncio.to_thread(asked.similarities, [])
    assert similarities.get(1_000, -1.0) == pytest.approx(-1.0, abs=1e-4)


async def test_privacy_changes_take_effect_at_once(index: VectorIndex, rng: np.random.Generator) -> None:
    query = unit(rng)
    await index.upsert([Point(1, query, "t", "a", 1, "public")])
    for level, found in (
        ("thread", []),
        ("public", [1]),
        ("premium", []),
        ("public", [1]),
        ("encrypted", []),
    ):
        await index.set_privacy([1, 12345], level)
        assert [point_id for point_id, _ in await index.search(query, EVERYONE, 5)] == found, level
    mine = SearchFilter(levels=frozenset(LEVELS), own_threads=frozenset({"t"}))
    assert await index.search(query, mine, 5) == []
    assert await index.count() == 1


async def test_privacy_changes_are_seen_by_the_co_authors_of_each_thread(
    index: VectorIndex, rng: np.random.Generator
) -> None:
    query = unit(rng)
    await index.upsert([Point(number, query, f"thread-{number % 2}", "a", 1, "public") for number in range(4)])
    first, second = (SearchFilter(own_threads=frozenset({f"thread-{number}"})) for number in range(2))
    for level, found in (
        ("thread", [[], [0, 2], [1, 3]]),
        ("premium", [[], [0, 2], [1, 3]]),
        ("public", [[0, 1, 2, 3]] * 3),
        ("encrypted", [[]] * 3),
        ("thread", [[], [0, 2], [1, 3]]),
    ):
        await index.set_privacy([0, 1, 2, 3, 12345], level)
        for wanted, expected_ids in zip((EVERYONE, first, second), found, strict=True):
            assert [point_id for point_id, _ in await index.search(query, wanted, 5)] == expected_ids, (level, wanted)


@pytest.mark.parametrize("name", ["public", "thread", "thread public", "0" * 32, "", "encrypted"])
async def test_no_name_of_a_thread_makes_it_public(index: VectorIndex, rng: np.random.Generator, name: str) -> None:
    query = unit(rng)
    await index.upsert([Point(1, query, name, "a", 1, "thread"), Point(2, query, name, "a", 1, "encrypted")])
    assert await index.search(query, EVERYONE, 5) == []
    assert await index.search(query, SearchFilter(own_threads=frozenset({"another"})), 5) == []
    mine = await index.search(query, SearchFilter(own_threads=frozenset({name})), 5)
    assert [point_id for point_id, _ in mine] == [1]


async def test_upsert_replaces_and_delete_removes(index: VectorIndex, rng: np.random.Generator) -> None:
    first, second = unit(rng), unit(rng)
    await index.upsert([Point(7, first, "t", "a", 1, "public"), Point(8, first, "t", "a", 1, "public")])
    await index.upsert([Point(7, second, "u", "b", 2, "public")])
    assert await index.count() == 2
    [(point_id, score)] = await index.search(second, SearchFilter(thread_id="u", author="b", since_ms=2), 5)
    assert (point_id, score) == (7, pytest.approx(1, abs=1e-4))
    await index.delete([7, 555])
    assert [point_id for point_id, _ in await index.search(second, EVERYONE, 5)] == [8]
    assert await index.count() == 1


async def test_equal_scores_come_in_order_of_id(index: VectorIndex, rng: np.random.Generator) -> None:
    vector = unit(rng)
    await index.upsert([Point(number, vector, "t", "a", 1, "public") for number in (5, 3, 9, 1)])
    assert [point_id for point_id, _ in await index.search(vector, EVERYONE, 10)] == [1, 3, 5, 9]


async def test_time_window_is_half_open(index: VectorIndex, rng: np.random.Generator) -> None:
    vector = unit(rng)
    await index.upsert([Point(number, vector, "t", "a", 1_800_000_000_000 + number, "public") for number in range(5)])
    window = SearchFilter(since_ms=1_800_000_000_001, until_ms=1_800_000_000_003)
    assert [point_id for point_id, _ in await index.search(vector, window, 10)] == [1, 2]


async def test_empty_index_and_k_of_nothing(index: VectorIndex, rng: np.random.Generator) -> None:
    assert await index.search(unit(rng), ALL_LEVELS, 10) == []
    await index.upsert([])
    await index.delete([])
    await index.set_privacy([], "public")
    await index.upsert(random_points(rng, 5))
    assert await index.search(unit(rng), ALL_LEVELS, 0) == []
    await index.optimise()
    await index.flush()
    assert await index.count() == 5


@pytest.mark.parametrize("bad", ["short", "long", "nan", "zero", "not-unit"])
async def test_bad_vectors_are_refused(index: VectorIndex, rng: np.random.Generator, bad: str) -> None:
    vector = {
        "short": unit(rng, DIMENSIONS - 1),
        "long": unit(rng, DIMENSIONS + 1),
        "nan": np.full(DIMENSIONS, np.nan, dtype=np.float32),
        "zero": np.zeros(DIMENSIONS, dtype=np.float32),
        "not-unit": unit(rng) * 2,
    }[bad]
    with pytest.raises(ValueError, match="vector"):
        await index.upsert([Point(1, vector, "t", "a", 1, "public")])
    with pytest.raises(ValueError, match="vector"):
        await index.search(vector, EVERYONE, 5)
    assert await index.count() == 0


async def test_a_closed_index_says_so(index: VectorIndex, rng: np.random.Generator) -> None:
    await index.aclose()
    with pytest.raises(IndexUnavailable):
        await index.search(unit(rng), EVERYONE, 5)
    with pytest.raises(IndexUnavailable):
        await index.upsert(random_points(rng, 1))


def test_a_filter_refuses_unknown_fields() -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(b'{"level": ["public"]}', type=SearchFilter)
