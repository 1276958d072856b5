"""The vector indexes that a node can be configured with."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Final

from choir.memory.vector_index import PointSource, StoredSimilarities, VectorIndex

# Below this an exact scan answers within a few milliseconds and needs no process of its own.
EXACT_LIMIT: Final = 20_000
COLLECTION: Final = "choir"


async def open_index(
    name: str,
    directory: Path,
    embedder: str,
    dimensions: int,
    source: PointSource,
    count: Callable[[], int],
    stored: StoredSimilarities,
) -> VectorIndex:
    """``auto`` (exact while the memory is small, else edge), ``exact``, ``edge``, or a Qdrant server's URL.

    ``embedder`` names whose vectors it holds: one of another's is not searched. An index that lives in
    memory is filled from ``source``. ``count`` may block. Raises ``IndexUnavailable`` or ``ValueError``.
    """
    if name == "exact" or (name == "auto" and await asyncio.to_thread(count) < EXACT_LIMIT):
        from choir.memory.indexes.exact import ExactIndex

        index = ExactIndex(dimensions)
        async for points in source():
            await index.upsert(points)
        return index
    if name in ("auto", "edge"):
        from choir.memory.indexes.edge import EdgeIndex

        return await EdgeIndex.open(directory / "vectors", embedder, dimensions, source, stored)
    if name.startswith(("http://", "https://")):
        from choir.memory.indexes.qdrant_server import QdrantServerIndex

        return await QdrantServerIndex.open(name, COLLECTION, dimensions)
    raise ValueError(f"unknown vector index {name!r}: choose auto, exact, edge or the URL of a Qdrant server")
