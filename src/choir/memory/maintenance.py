"""Making anew what search needs, on a stopped node: embeddings by the configured embedder, and the vector index.

Both are derived from the records (design: architecture, law 1), so nothing can be lost here.
"""

import asyncio
import shutil
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from choir.memory.database import Database
from choir.memory.embedders import load_embedder
from choir.memory.embedding import EmbeddingError
from choir.memory.indexes import EXACT_LIMIT, collection_of, open_index, server_key
from choir.memory.indexes.edge import EdgeIndex
from choir.memory.indexing import Indexer
from choir.memory.vault import Vault
from choir.memory.vector_index import Point, VectorIndex
from choir.primitives.signatures import SigningKey

Report = Callable[[int, int], None]
_VECTORS: Final = "vectors"


async def reembed(directory: Path, node_key: SigningKey, embedder: str, report: Report) -> int:
    """Embed and index every record anew; returns how many. ``report(done, total)`` tells how far it is. What is left
    after an interruption is done when the node runs. Raises ``EmbeddingError``, where nothing can be embedded before
    anything is changed, and ``MemoryUnusable``."""
    async with open_indexer(directory, node_key, embedder) as indexer:
        try:
            await indexer.probe_embedder()
        except EmbeddingError as error:
            raise EmbeddingError(f"{error}; nothing was changed: try again when the embedder works") from error
        total = await asyncio.to_thread(indexer.mark_all)
        _drop_vectors(directory)
        while await indexer.index_some():
            report(total - await asyncio.to_thread(indexer.count_waiting), total)
        return total


async def rebuild_vectors(
    directory: Path, node_key: SigningKey, embedder: str, vector_index: str, report: Report
) -> int:
    """Build the vector index from the records' embeddings; returns its points. An index that lives in memory only is
    filled at every start, so there is nothing to keep of it. A message whose embedding cannot be used is embedded when
    the node runs. Raises ``IndexUnavailable``, ``ValueError``,
    ``EmbeddingError`` and ``MemoryUnusable``."""
    async with open_indexer(directory, node_key, embedder) as indexer:
        total = await asyncio.to_thread(indexer.count_points)
        _drop_vectors(directory)
        done = 0

        async def counted() -> AsyncIterator[Sequence[Point]]:
            nonlocal done
            done = 0
            async for batch in indexer.points():
                yield batch
                done += len(batch)
                report(done, total)

        if vector_index.startswith(("http://", "https://")):
            await _refill_server(vector_index, node_key.address, indexer, counted())
            await asyncio.to_thread(indexer.mark_unusable)
            return done
        dimensions = indexer.embeddings.dimensions
        index: VectorIndex
        if vector_index == "edge" or (vector_index == "auto" and total >= EXACT_LIMIT):
            # With its graph at once, which a node would only build after it has come up without one.
            index = edge = EdgeIndex(directory / _VECTORS, indexer.embeddings.embedder, dimensions, counted)
            await edge.rebuild()
        else:
            index = await open_index(
                vector_index,
                directory,
                indexer.embeddings.embedder,
                dimensions,
                counted,
                indexer.count_points,
                indexer.embeddings.similarities,
            )
        try:
            return await index.count()
        finally:
            await index.aclose()
            await asyncio.to_thread(indexer.mark_unusable)


@asynccontextmanager
async def open_indexer(directory: Path, node_key: SigningKey, embedder: str) -> AsyncIterator[Indexer]:
    """An indexer over a stopped node's records, without a vector index. Raises ``EmbeddingError`` and
    ``MemoryUnusable``."""
    database = await asyncio.to_thread(Database, directory / "memory.db")
    try:
        loaded = await load_embedder(embedder)
        try:
            yield await asyncio.to_thread(Indexer, database, Vault(node_key), loaded, lambda: None)
        finally:
            await loaded.aclose()
    finally:
        database.close()


async def _refill_server(url: str, node: str, indexer: Indexer, points: AsyncIterator[Sequence[Point]]) -> None:
    from choir.memory.indexes.qdrant_server import QdrantServerIndex

    collection = collection_of(node, indexer.embeddings.embedder)
    dimensions = indexer.embeddings.dimensions
    index = await QdrantServerIndex.recreate(url, collection, dimensions, api_key=server_key())
    try:
        async for batch in points:
            await index.upsert(batch)
    finally:
        await index.aclose()


def _drop_vectors(directory: Path) -> None:
    """An index on disk that no longer fits the records."""
    if (directory / _VECTORS).exists():
        shutil.rmtree(directory / _VECTORS)
