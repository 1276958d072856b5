"""Does the index find what it should? Probes are answered twice: by the vector index, and by scanning the embeddings of
the records themselves.

Only a sample of the records is looked at, so the work does not grow with the memory. An approximate index answers such
questions exactly: what a graph misses is not seen here.
"""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

import numpy as np

from choir.memory.database import Database
from choir.memory.embeddings_store import EmbeddingStore
from choir.memory.privacy import Level
from choir.memory.vector_index import SearchFilter, Vector, VectorIndex

_EVERY_LEVEL: Final = SearchFilter(levels=frozenset({Level.PUBLIC, Level.PREMIUM, Level.THREAD}))
# Two ways to add up a cosine differ by less; messages nearer to each other than that are equally good answers.
_TOLERANCE: Final = 1e-5
_ATTEMPTS: Final = 3


class Probed(NamedTuple):
    """Of each probe the ids that the index named, and those that it should have; how many records were looked at; and
    the content hashes of those whose embedding is damaged."""

    named: list[list[int]]
    expected: list[list[int]]
    compared: int
    damaged: list[str]


class _Sample(NamedTuple):
    """Shapes: ``ids`` (n,), ``vectors`` (n, dimensions)."""

    ids: list[int]
    vectors: Vector
    damaged: list[str]


class Prober:
    """Compares the index with the records."""

    def __init__(self, database: Database, embeddings: EmbeddingStore, vectors: VectorIndex) -> None:
        self._database = database
        self._embeddings = embeddings
        self._vectors = vectors

    @property
    def dimensions(self) -> int:
        return self._vectors.dimensions

    async def probe(self, directions: Sequence[Sequence[int]], content_hashes: Sequence[str], k: int) -> Probed:
        """Ask for the ``k`` nearest to each direction among those records that are to be found and are indexed. Begins
        again where a record was hidden or indexed meanwhile. Raises ``IndexUnavailable``."""
        hash_of = await asyncio.to_thread(self._indexed, content_hashes)
        for _ in range(_ATTEMPTS):
            sample = await asyncio.to_thread(self._load, hash_of)
            probed = await self._compare(directions, sample, k)
            before, hash_of = hash_of, await asyncio.to_thread(self._indexed, content_hashes)
            if hash_of == before:
                break
        return probed

    async def _compare(self, directions: Sequence[Sequence[int]], sample: _Sample, k: int) -> Probed:
        named: list[list[int]] = []
        expected: list[list[int]] = []
        for direction in directions:
            vector = _normalised(direction)
            found = [point_id for point_id, _ in await self._vectors.search(vector, _EVERY_LEVEL, k, sample.ids)]
            named.append(found)
            expected.append(_nearest(sample, vector, k, found))
            await asyncio.sleep(0)  # an index in memory answers at once: others have their turn between two probes
        return Probed(named, expected, len(sample.ids), sample.damaged)

    def _indexed(self, content_hashes: Sequence[str]) -> dict[int, str]:
        """Which of these are to be found and are indexed: their content hashes by id, in the order of the ids."""
        marks = ",".join("?" * len(content_hashes))
        rows = self._database.reader().execute(
            f"SELECT id, content_hash FROM record WHERE content_hash IN ({marks}) AND seq IS NOT NULL"  # noqa: S608
            " AND status = 'approved' AND NOT is_erased AND privacy <> ? AND to_index = 0 AND embedder = ?"
            " AND embedding IS NOT NULL ORDER BY id",
            (*content_hashes, Level.ENCRYPTED, self._embeddings.embedder),
        )
        return {row["id"]: row["content_hash"] for row in rows}

    def _load(self, hash_of: Mapping[int, str]) -> _Sample:
        reader = self._database.reader()
        ids, vectors, damaged = [], [], []
        for point_id, content_hash in hash_of.items():
            if self._embeddings.is_damaged(reader, content_hash):
                damaged.append(content_hash)
                continue
            found = self._embeddings.of(reader, [content_hash]).get(content_hash)
            if found is not None:  # else it was hidden a moment ago
                ids.append(point_id)
                vectors.append(found.vector)
        shape = (len(ids), self._embeddings.dimensions)
        return _Sample(ids, np.array(vectors, dtype=np.float32).reshape(shape), damaged)


def _normalised(direction: Sequence[int]) -> Vector:
    whole = np.array(direction, dtype=np.float64)
    return (whole / np.linalg.norm(whole)).astype(np.float32)


def _nearest(sample: _Sample, vector: Vector, k: int, found: Sequence[int]) -> list[int]:
    """The k nearest of the sample; among those that are as near as the last of them, the ones that were found."""
    if not sample.ids:
        return []
    scores = np.vecdot(sample.vectors, vector).tolist()
    best = sorted(range(len(scores)), key=lambda place: -scores[place])[:k]
    least = scores[best[-1]] - _TOLERANCE
    place_of = {point_id: place for place, point_id in enumerate(sample.ids)}
    good = [point_id for point_id in found if point_id in place_of and scores[place_of[point_id]] >= least]
    others = [sample.ids[place] for place in best if sample.ids[place] not in good]
    return [*good, *others][: len(best)]
