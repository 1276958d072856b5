"""One fixture, every vector index adapter."""

import os
import uuid
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack
from pathlib import Path

import numpy as np
import pytest
from qdrant_client import AsyncQdrantClient

from choir.memory.indexes import edge, qdrant_server
from choir.memory.indexes.edge import EdgeIndex
from choir.memory.indexes.exact import ExactIndex
from choir.memory.indexes.qdrant_server import IN_MEMORY, QdrantServerIndex
from choir.memory.vector_index import Point, ScoredId, SearchFilter, Vector, VectorIndex
from tests.support.patience import PATIENCE_SECONDS

DIMENSIONS = 16
EMBEDDER = "numbers@1"
LEVELS = ("public", "premium", "thread", "encrypted")


class Records:
    """What an index is rebuilt from."""

    def __init__(self) -> None:
        self.points: dict[int, Point] = {}

    async def source(self) -> AsyncIterator[Sequence[Point]]:
        points = list(self.points.values())
        for start in range(0, len(points), 100):
            yield points[start : start + 100]

    def similarities(self, vector: Vector, wanted: SearchFilter, point_ids: Sequence[int]) -> list[ScoredId]:
        """Of those that the filter admits, as the records' own store gives them."""
        points = [self.points[point_id] for point_id in point_ids if point_id in self.points]
        return [
            (p.point_id, round(float(p.vector @ vector), 6))
            for p in points
            if wanted.matches(p.thread_id, p.author, p.created_at_ms, p.privacy)
        ]

    def put(self, points: Sequence[Point]) -> Sequence[Point]:
        self.points.update({point.point_id: point for point in points})
        return points


def unit(rng: np.random.Generator, dimensions: int = DIMENSIONS) -> Vector:
    vector = rng.standard_normal(dimensions).astype(np.float32)
    return vector / np.linalg.norm(vector)


def random_points(rng: np.random.Generator, count: int, first: int = 0) -> list[Point]:
    return [
        Point(
            point_id=first + number,
            vector=unit(rng),
            thread_id=f"thread-{rng.integers(8)}",
            author=f"author-{rng.integers(5)}",
            created_at_ms=1_700_000_000_000 + int(rng.integers(1_000)),
            privacy=LEVELS[int(rng.integers(4))],
        )
        for number in range(count)
    ]


@pytest.fixture
def rng() -> np.random.Generator:
    seed = int(os.environ.get("CHOIR_TEST_SEED", np.random.SeedSequence().entropy % 2**32))
    print(f"CHOIR_TEST_SEED={seed}")
    return np.random.default_rng(seed)


@pytest.fixture
def records() -> Records:
    return Records()


@pytest.fixture(params=["exact", "edge", "qdrant-memory", "qdrant-server"])
async def index(
    request: pytest.FixtureRequest, tmp_path: Path, records: Records, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[VectorIndex]:
    for patience in ("CALL_SECONDS", "SEARCH_SECONDS"):
        monkeypatch.setattr(qdrant_server, patience, PATIENCE_SECONDS)
    monkeypatch.setattr(edge, "SEARCH_SECONDS", PATIENCE_SECONDS)
    async with AsyncExitStack() as afterwards:
        opened = await OPENERS[request.param](tmp_path, records, afterwards)
        afterwards.push_async_callback(opened.aclose)
        yield opened


async def open_edge(directory: Path, records: Records) -> EdgeIndex:
    index = await EdgeIndex.open(directory / "edge", EMBEDDER, DIMENSIONS, records.source, records.similarities)
    await index.wait_until_ready()
    return index


async def _open_edge(directory: Path, records: Records, _afterwards: AsyncExitStack) -> VectorIndex:
    return await open_edge(directory, records)


async def _open_exact(_directory: Path, _records: Records, _afterwards: AsyncExitStack) -> VectorIndex:
    return ExactIndex(DIMENSIONS)


async def _open_local(_directory: Path, _records: Records, _afterwards: AsyncExitStack) -> VectorIndex:
    return await QdrantServerIndex.open(IN_MEMORY, "choir", DIMENSIONS)


async def _open_server(_directory: Path, _records: Records, afterwards: AsyncExitStack) -> VectorIndex:
    url = os.environ.get("CHOIR_TEST_QDRANT_URL")
    if not url:
        pytest.skip("CHOIR_TEST_QDRANT_URL names no Qdrant server")
    collection = f"choir-test-{uuid.uuid4().hex}"
    afterwards.push_async_callback(_drop, url, collection)
    return await QdrantServerIndex.open(url, collection, DIMENSIONS)


async def _drop(url: str, collection: str) -> None:
    client = AsyncQdrantClient(url=url, check_compatibility=False)
    await client.delete_collection(collection)
    await client.close()


OPENERS: dict[str, Callable] = {
    "exact": _open_exact,
    "edge": _open_edge,
    "qdrant-memory": _open_local,
    "qdrant-server": _open_server,
}
