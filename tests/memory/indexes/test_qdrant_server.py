"""A Qdrant server that hangs or is not there; how it answers otherwise is in the contract."""

import asyncio

import numpy as np
import pytest
from qdrant_client import AsyncQdrantClient

from choir.memory.indexes import qdrant_server
from choir.memory.indexes.qdrant_server import QdrantServerIndex
from choir.memory.vector_index import IndexTooSlow, IndexUnavailable, SearchFilter
from tests.support.patience import PATIENCE_SECONDS

EAST = np.array([1.0, 0.0], np.float32)


async def test_a_search_does_not_wait_long_for_a_server_that_hangs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(qdrant_server, "SEARCH_SECONDS", 0.2)
    asked = asyncio.Event()

    async def hang(_reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        asked.set()
        await asyncio.sleep(PATIENCE_SECONDS)

    server = await asyncio.start_server(hang, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    client = AsyncQdrantClient(url=f"http://127.0.0.1:{port}", timeout=PATIENCE_SECONDS, check_compatibility=False)
    index = QdrantServerIndex(client, "choir", 2)
    async with asyncio.timeout(PATIENCE_SECONDS):
        with pytest.raises(IndexTooSlow, match=r"did not answer within 0\.2 s"):
            await index.search(EAST, SearchFilter(), 3)
        await asked.wait()
    await index.aclose()
    server.close()


async def test_a_server_that_is_not_there(unused_tcp_port: int) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        with pytest.raises(IndexUnavailable, match="refused or is down"):
            await QdrantServerIndex.open(f"http://127.0.0.1:{unused_tcp_port}", "choir", 2)
