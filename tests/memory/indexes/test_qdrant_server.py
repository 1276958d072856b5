"""A Qdrant server that hangs, is not there or wants a key, and what is whose on it; the rest is in the contract."""

import asyncio
import os
import uuid
from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest
from qdrant_client import AsyncQdrantClient

from choir.memory.indexes import KEY_VARIABLE, collection_of, open_index, qdrant_server, server_key
from choir.memory.indexes.qdrant_server import QdrantServerIndex
from choir.memory.vector_index import IndexTooSlow, IndexUnavailable, SearchFilter
from tests.memory.indexes.conftest import DIMENSIONS, Records, random_points
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


@pytest.fixture
async def servers(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator["Servers"]:
    url = os.environ.get("CHOIR_TEST_QDRANT_URL")
    if not url:
        pytest.skip("CHOIR_TEST_QDRANT_URL names no Qdrant server")
    monkeypatch.setattr(qdrant_server, "CALL_SECONDS", PATIENCE_SECONDS)
    made = Servers(url)
    yield made
    client = AsyncQdrantClient(url=url, check_compatibility=False)
    for collection in made.collections:
        await client.delete_collection(collection)
    await client.close()


class Servers:
    """Opens collections of names that nobody else has."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.embedder = f"test-{uuid.uuid4().hex}"
        self.collections: set[str] = set()

    async def open(self, records: Records, node: str) -> QdrantServerIndex:
        self.collections.add(collection_of(node, self.embedder))
        index = await open_index(
            self.url,
            Path(),
            self.embedder,
            DIMENSIONS,
            records.source,
            lambda: 0,
            records.similarities,
            node,
            lambda: len(records.points),
        )
        assert isinstance(index, QdrantServerIndex)
        return index


async def test_a_collection_that_holds_too_little_is_filled(servers: Servers, rng: np.random.Generator) -> None:
    records = Records()
    points = random_points(rng, 700)
    records.put(points)
    index = await servers.open(records, "node")
    assert await index.count() == 700
    await index.delete([point.point_id for point in points[:10]])
    await index.aclose()
    index = await servers.open(records, "node")
    assert await index.count() == 700
    await index.aclose()


async def test_nodes_do_not_share_a_collection(servers: Servers, rng: np.random.Generator) -> None:
    one, other = Records(), Records()
    one.put(random_points(rng, 5))
    other.put(random_points(rng, 3))
    first, second = await servers.open(one, "one"), await servers.open(other, "other")
    assert (await first.count(), await second.count()) == (5, 3)
    await first.aclose()
    await second.aclose()


def test_a_collection_is_of_a_node_and_an_embedder() -> None:
    names = {collection_of(node, embedder) for node in ("a", "b") for embedder in ("minilm@1", "minilm@2")}
    assert len(names) == 4
    assert all(name.startswith("choir-") for name in names)
    assert collection_of("a", "minilm@1") == collection_of("a", "minilm@1")


async def test_the_key_is_sent_and_told_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(KEY_VARIABLE, "a key of the test")
    asked: list[bytes] = []

    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(refuse, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    records = Records()
    async with asyncio.timeout(PATIENCE_SECONDS):
        with pytest.raises(IndexUnavailable) as caught:
            await open_index(url, Path(), "minilm@1", 2, records.source, lambda: 0, records.similarities)
        assert "a key of the test" not in str(caught.value)
        with pytest.raises(IndexUnavailable):
            await QdrantServerIndex.recreate(url, "choir-test", 2, api_key=server_key())
    assert len(asked) == 2
    assert all(b"api-key: a key of the test" in request for request in asked)
    monkeypatch.delenv(KEY_VARIABLE)
    assert server_key() is None
    server.close()
