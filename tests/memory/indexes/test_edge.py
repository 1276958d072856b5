"""The supervised index process: killed, stopped, reopened, optimised under load."""

import asyncio
import json
import os
import signal
import time
from pathlib import Path

import numpy as np
import pytest

from choir.memory.indexes import edge as edge_module
from choir.memory.indexes.edge import EdgeIndex
from choir.memory.indexes.edge_wire import LAYOUT
from choir.memory.vector_index import IndexUnavailable, Point, SearchFilter
from tests.support.patience import PATIENCE_SECONDS

from .conftest import DIMENSIONS, EMBEDDER, Records, open_edge, random_points, unit


async def _until_down(index: EdgeIndex, process_id: int) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while index.process_id == process_id:  # noqa: ASYNC110 - nothing announces a death
            await asyncio.sleep(0.005)


async def test_killed_process_is_rebuilt_from_the_records(
    tmp_path: Path, records: Records, rng: np.random.Generator
) -> None:
    index = await open_edge(tmp_path, records)
    await index.upsert(records.put(random_points(rng, 300)))
    process_id = index.process_id
    os.kill(process_id, signal.SIGKILL)
    with pytest.raises(IndexUnavailable):
        await index.search(unit(rng), SearchFilter(), 5)
    await _until_down(index, process_id)
    late = records.put(random_points(rng, 10, first=1_000))
    await index.upsert(late)  # accepted while the new process is being filled
    await index.set_privacy([1_000], "encrypted")
    await index.wait_until_ready()
    assert index.process_id != process_id
    assert await index.count() == 310
    wanted = SearchFilter(levels=frozenset({"public", "premium", "thread"}))
    found = await index.search(late[0].vector, wanted, 310)
    assert 1_000 not in [point_id for point_id, _ in found]
    await index.aclose()


async def test_a_search_under_way_when_the_process_dies_fails_clearly(
    tmp_path: Path, records: Records, rng: np.random.Generator
) -> None:
    index = await open_edge(tmp_path, records)
    os.kill(index.process_id, signal.SIGSTOP)
    search = asyncio.create_task(index.search(unit(rng), SearchFilter(), 5))
    await asyncio.sleep(0.05)
    os.kill(index.process_id, signal.SIGKILL)
    with pytest.raises(IndexUnavailable, match="died"):
        await search
    await index.aclose()


async def test_a_process_that_hangs_is_replaced(
    tmp_path: Path, records: Records, rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(edge_module, "SEARCH_SECONDS", 0.2)
    index = await open_edge(tmp_path, records)
    await index.upsert(records.put(random_points(rng, 20)))
    os.kill(index.process_id, signal.SIGSTOP)
    with pytest.raises(IndexUnavailable, match="did not answer"):
        await index.search(unit(rng), SearchFilter(), 5)
    await index.wait_until_ready()
    assert await index.count() == 20
    await index.aclose()


async def test_a_change_of_privacy_before_a_crash_is_not_forgotten(
    tmp_path: Path, records: Records, rng: np.random.Generator
) -> None:
    """Neither process nor node gets to close the index: what it wrote to disk must not be believed."""
    point = Point(1, unit(rng), "t", "a", 1, "public")
    index = await open_edge(tmp_path, records)
    await index.upsert(records.put([point]))
    await index.flush()
    records.put([Point(1, point.vector, "t", "a", 1, "thread")])
    await index.set_privacy([1], "thread")
    os.kill(index.process_id, signal.SIGKILL)
    index._closed = True  # the node dies too: nobody is left to rebuild
    await index._serving.stop()
    again = await open_edge(tmp_path, records)
    assert await again.search(point.vector, SearchFilter(), 5) == []
    await again.aclose()


async def test_clean_close_is_reopened_without_reading_the_records(
    tmp_path: Path, records: Records, rng: np.random.Generator
) -> None:
    index = await open_edge(tmp_path, records)
    points = random_points(rng, 50)
    await index.upsert(points)  # the records stay empty: a rebuild would lose them
    await index.aclose()
    again = await open_edge(tmp_path, records)
    assert await again.count() == 50
    await again.aclose()
    other = await EdgeIndex.open(tmp_path / "edge", EMBEDDER, DIMENSIONS * 2, records.source)
    await other.wait_until_ready()
    assert await other.count() == 0, "another dimension is another index"
    await other.aclose()


async def test_an_index_of_another_layout_is_filled_anew(
    tmp_path: Path, records: Records, rng: np.random.Generator
) -> None:
    """Also one of the first, closed before layouts had a number."""
    for change in ({"layout": LAYOUT - 1}, {"layout": None}):
        index = await open_edge(tmp_path, records)
        await index.upsert(random_points(rng, 50))  # the records stay empty
        await index.aclose()
        marker = tmp_path / "edge" / "clean"
        fields = json.loads(marker.read_text()) | change
        marker.write_text(json.dumps({name: value for name, value in fields.items() if value is not None}))
        again = await open_edge(tmp_path, records)
        assert await again.count() == 0
        await again.aclose()


async def test_an_index_of_another_embedder_is_filled_anew(
    tmp_path: Path, records: Records, rng: np.random.Generator
) -> None:
    """Also one closed by a release that did not say whose vectors it holds."""
    index = await open_edge(tmp_path, records)
    await index.upsert(random_points(rng, 50))
    await index.aclose()
    other = await EdgeIndex.open(tmp_path / "edge", "numbers@2", DIMENSIONS, records.source)
    await other.wait_until_ready()
    assert await other.count() == 0
    await other.upsert(random_points(rng, 50))
    await other.aclose()
    marker = tmp_path / "edge" / "clean"
    fields = json.loads(marker.read_text())
    del fields["embedder"]
    marker.write_text(json.dumps(fields))
    again = await EdgeIndex.open(tmp_path / "edge", "numbers@2", DIMENSIONS, records.source)
    await again.wait_until_ready()
    assert await again.count() == 0
    await again.aclose()


async def test_rebuilding_goes_on_beside_searches_and_writes(
    tmp_path: Path, records: Records, rng: np.random.Generator
) -> None:
    index = await open_edge(tmp_path, records)
    await index.upsert(records.put(random_points(rng, 2_000)))
    rebuild = asyncio.create_task(index.rebuild())
    searches, written = 0, 0
    while not rebuild.done():
        await index.search(unit(rng), SearchFilter(), 5)
        searches += 1
        if written < 100:
            await index.upsert(records.put(random_points(rng, 1, first=10_000 + written)))
            written += 1
    await rebuild
    assert searches > 1
    assert await index.count() == 2_000 + written
    await index.aclose()


async def test_a_question_goes_to_the_process_that_took_over(
    tmp_path: Path, records: Records, rng: np.random.Generator
) -> None:
    index = await open_edge(tmp_path, records)
    await index.upsert(records.put(random_points(rng, 100)))
    asked = index.ask(unit(rng), SearchFilter(), 5)
    assert asked is not None
    await asyncio.to_thread(asked.begin)
    asked_first = index.process_id
    await index.rebuild()
    assert index.process_id != asked_first
    assert len(await asyncio.to_thread(asked.similarities, [])) == 5
    await index.aclose()


async def test_a_question_that_is_not_answered_has_the_process_replaced(
    tmp_path: Path, records: Records, rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(edge_module, "SEARCH_SECONDS", 0.2)
    index = await open_edge(tmp_path, records)
    await index.upsert(records.put(random_points(rng, 20)))
    asked = index.ask(unit(rng), SearchFilter(), 5)
    assert asked is not None
    os.kill(index.process_id, signal.SIGSTOP)
    process_id = index.process_id
    await asyncio.to_thread(asked.begin)
    # By the time that the thread asks who answers now, the next process may be on its way.
    with pytest.raises(IndexUnavailable, match=r"did not answer|being rebuilt"):
        await asyncio.to_thread(asked.similarities, [])
    await _until_down(index, process_id)
    await index.wait_until_ready()
    assert await index.count() == 20
    await index.aclose()


async def test_failing_records_are_read_again(tmp_path: Path, records: Records, rng: np.random.Generator) -> None:
    attempts = 0

    async def flaky():
        nonlocal attempts
        attempts += 1
        if attempts == 1:
            raise OSError("disk")
        async for batch in records.source():
            yield batch

    records.put(random_points(rng, 5))
    index = await EdgeIndex.open(tmp_path / "edge", EMBEDDER, DIMENSIONS, flaky)
    await index.wait_until_ready()
    assert attempts == 2
    assert await index.count() == 5
    await index.aclose()


async def test_closing_while_rebuilding_leaves_no_process(tmp_path: Path, records: Records) -> None:
    index = await EdgeIndex.open(tmp_path / "edge", EMBEDDER, DIMENSIONS, records.source)
    started = time.monotonic()
    await index.aclose()
    await index.aclose()
    assert time.monotonic() - started < 20
    assert index.process_id is None
    with pytest.raises(IndexUnavailable, match="closed"):
        await index.wait_until_ready()
