"""The vector indexes that a node can be configured with."""

import asyncio
import os
from collections.abc import Callable
from pathlib import Path
from typing import Final

from choir.memory.vector_index import PointSource, StoredSimilarities, VectorIndex
from choir.primitives.hashing import sha256_hex

# Below this an exact scan answers within a few milliseconds and needs no process of its own.
EXACT_LIMIT: Final = 20_000
KEY_VARIABLE: Final = "CHOIR_QDRANT_API_KEY"


def collection_of(node: str, embedder: str) -> str:
    """The collection on a Qdrant server that holds what the node of that address has embedded by that embedder."""
    return f"choir-{sha256_hex(f'{node} {embedder}'.encode())[:16]}"


def server_key() -> str | None:
    """The key of a Qdrant server, from the environment."""
    return os.environ.get(KEY_VARIABLE) or None


async def open_index(
    name: str,
    directory: Path,
    embedder: str,
    dimensions: int,
    source: PointSource,
    count: Callable[[], int],
    stored: StoredSimilarities,
    node: str = "",
    embedded: Callable[[], int] | None = None,
) -> VectorIndex:
    """``auto`` (exact while the memory is small, else edge), ``exact``, ``edge``, or a Qdrant server's URL.

    ``embedder`` names whose vectors it holds: one of another's is not searched. An index that lives in memory is filled
    from ``source``, and so is a server's that holds fewer points than are ``embedded``. What the server holds of the
    address ``node`` is apart from all else. ``count`` and ``embedded`` may block. Raises ``IndexUnavailable`` or
    ``ValueError``.
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

        server = await QdrantServerIndex.open(name, collection_of(node, embedder), dimensions, api_key=server_key())
        try:
            if embedded is not None and await server.count() < await asyncio.to_thread(embedded):
                async for points in source():
                    await server.upsert(points)
        except BaseException:
            await server.aclose()
            raise
        return server
    raise ValueError(f"unknown vector index {name!r}: choose auto, exact, edge or the URL of a Qdrant server")
