"""Search by words does not wait for the vector index, which is attached when it answers, and in step."""

import asyncio
import contextlib
import os
import uuid
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import pytest
from qdrant_client import AsyncQdrantClient

from choir.memory import memory as memories
from choir.memory.indexes import collection_of, qdrant_server
from choir.memory.indexes.exact import ExactIndex
from choir.memory.memory import Memory, SearchUnavailable
from choir.memory.records import NewContent
from choir.memory.text import content_hash
from choir.memory.vector_index import IndexUnavailable, Point, SearchFilter
from tests.memory.events import event, posted
from tests.support.chain import digest, key
from tests.support.patience import PATIENCE_SECONDS

THREAD = digest("thread")[:32]
SALT = "ab" * 16
TEXTS = ("The fee market for blobs", "Blobs have a price of their own", "Cooking pasta takes eleven minutes")
HASHES = [content_hash("author", SALT, text, THREAD) for text in TEXTS]


class Away:
    """Opens an index in memory, once it is there. ``kept`` is what a server still holds from earlier."""

    def __init__(self) -> None:
        self.is_there = asyncio.Event()
        self.asked = 0
        self.asked_often = asyncio.Event()
        self.opening = asyncio.Event()
        self.index = ExactIndex(256)
        self.hold: asyncio.Event | None = None

    async def open(self, *_arguments: Any, **_named: Any) -> ExactIndex:
        self.asked += 1
        if self.asked == 3:
            self.asked_often.set()
        if not self.is_there.is_set():
            raise IndexUnavailable("Qdrant refused or is down: thread 0xABCDEF")
        if self.hold is not None:
            self.opening.set()
            await self.hold.wait()
        return self.index


@pytest.fixture
def away(monkeypatch: pytest.MonkeyPatch) -> Away:
    made = Away()
    monkeypatch.setattr(memories, "open_index", made.open)
    monkeypatch.setattr(memories, "_ATTACH_SECONDS", (0.01,))
    return made


@pytest.fixture
async def memory(tmp_path: Path) -> AsyncIterator[Memory]:
    made = Memory(tmp_path, key("node"))
    async with asyncio.timeout(PATIENCE_SECONDS):
        yield made
    await made.close()


async def post(memory: Memory, *numbers: int) -> None:
    for number in numbers:
        content = NewContent(HASHES[number], THREAD, "author", SALT, TEXTS[number], "public", 1)
        await memory.records.store_pending(content)
        await memory.apply([posted(number + 1, HASHES[number], THREAD)])


async def hide(memory: Memory, how: str, number: int, seq: int) -> None:
    kind = "message_erased" if how == "erased" else "privacy_changed"
    fields = {"thread_id": THREAD, "content_hash": HASHES[number], "by": "author"}
    await memory.apply([event(seq, kind, level="thread", **fields)])


async def found(memory: Memory, query: str = "fee market blobs") -> tuple[bool, list[str]]:
    answer = await memory.search(query, SearchFilter(), 5)
    return answer.vectors_used, [f.record.content_hash for f in answer.found]


async def indexed_by_words(memory: Memory) -> None:
    await memory.search_ready()
    assert memory._indexer is not None
    await memory._indexer.idle()


async def ids_near_everything(index: ExactIndex) -> set[int]:
    levels = SearchFilter(levels=frozenset({"public", "premium", "thread"}))
    vector = np.full(256, 1 / 16, np.float32)
    return {point_id for point_id, _ in await index.search(vector, levels, 100)}


async def test_words_answer_while_the_index_is_away_and_vectors_when_it_has_come(memory: Memory, away: Away) -> None:
    memory.start_search("wordllama", "http://127.0.0.1:1")
    await post(memory, 0, 1, 2)
    await indexed_by_words(memory)
    assert await found(memory) == (False, HASHES[:2])
    with pytest.raises(SearchUnavailable):
        await memory.prober()
    await away.asked_often.wait()
    away.is_there.set()
    await memory.indexed()
    uses_vectors, hashes = await found(memory)
    assert uses_vectors
    assert set(hashes) == set(HASHES), "what was posted meanwhile reached the index"
    assert await ids_near_everything(away.index) == {1, 2, 3}
    assert (await memory.prober()).dimensions == 256


@pytest.mark.parametrize("how", ["erased", "hidden"])
async def test_what_is_hidden_while_the_index_is_away_is_not_in_it(memory: Memory, away: Away, how: str) -> None:
    """It holds all three from earlier, as a server does."""
    memory.start_search("wordllama", "http://127.0.0.1:1")
    await post(memory, 0, 1, 2)
    await indexed_by_words(memory)
    old = [Point(i, np.full(256, 1 / 16, np.float32), THREAD, "author", 0, "public") for i in (1, 2, 3)]
    await away.index.upsert(old)
    await hide(memory, how, 0, 4)
    indexer = memory._indexer
    assert indexer is not None
    joined = indexer.join
    seen: list[list[tuple[int, float]]] = []

    async def look(index: Any) -> None:
        await joined(index)
        seen.append(await index.search(old[0].vector, SearchFilter(), 5, [1]))

    indexer.join = look  # type: ignore[method-assign]
    away.is_there.set()
    await memory.indexed()
    assert seen == [[]], "before the first search could see it"
    assert HASHES[0] not in (await found(memory))[1]
    assert await ids_near_everything(away.index) == ({2, 3} if how == "erased" else {1, 2, 3})
    assert {i for i, _ in await away.index.search(old[0].vector, SearchFilter(), 5)} == {2, 3}


async def test_what_is_hidden_while_the_index_is_filled_is_not_in_it(memory: Memory, away: Away) -> None:
    memory.start_search("wordllama", "http://127.0.0.1:1")
    await post(memory, 0, 1)
    await indexed_by_words(memory)
    away.hold = asyncio.Event()
    away.is_there.set()
    await away.opening.wait()
    # The fill has read it already.
    point = Point(1, np.full(256, 1 / 16, np.float32), THREAD, "author", 0, "public")
    await away.index.upsert([point])
    await hide(memory, "erased", 0, 3)
    away.hold.set()
    await memory.indexed()
    assert await ids_near_everything(away.index) == {2}


async def test_a_node_stops_while_the_index_is_away(tmp_path: Path, away: Away) -> None:
    memory = Memory(tmp_path, key("node"))
    memory.start_search("wordllama", "http://127.0.0.1:1")
    async with asyncio.timeout(PATIENCE_SECONDS):
        await memory.search_ready()
        asked = asyncio.create_task(memory.prober())
        await asyncio.sleep(0)
        await memory.close()
        with contextlib.suppress(SearchUnavailable):
            await asked


async def test_why_search_cannot_open_is_told_the_log_and_nobody_else(
    memory: Memory, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(_name: str) -> None:
        raise RuntimeError("thread 0xABCDEF of point 17")

    monkeypatch.setattr(memories, "load_embedder", fail)
    memory.start_search("wordllama", "exact")
    with pytest.raises(SearchUnavailable) as caught:
        await memory.search_ready()
    assert str(caught.value) == "search is not open: try again later"
    with pytest.raises(SearchUnavailable) as caught:
        await memory.prober()
    assert "0xABCDEF" not in str(caught.value)


async def test_a_qdrant_server_that_comes_later(memory: Memory, monkeypatch: pytest.MonkeyPatch) -> None:
    """As above with a real server, behind a relay that leads nowhere at first."""
    server = os.environ.get("CHOIR_TEST_QDRANT_URL")
    if not server:
        pytest.skip("CHOIR_TEST_QDRANT_URL names no Qdrant server")
    monkeypatch.setattr(memories, "_ATTACH_SECONDS", (0.05,))
    monkeypatch.setattr(qdrant_server, "CALL_SECONDS", PATIENCE_SECONDS)
    monkeypatch.setattr(qdrant_server, "SEARCH_SECONDS", PATIENCE_SECONDS)
    memory._node = uuid.uuid4().hex
    relay = Relay(server)
    listening = await asyncio.start_server(relay, "127.0.0.1", 0)
    memory.start_search("wordllama", f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}")
    await post(memory, 0, 1, 2)
    await indexed_by_words(memory)
    await hide(memory, "erased", 1, 4)
    assert await found(memory) == (False, HASHES[:1])
    with pytest.raises(SearchUnavailable):
        await memory.prober()
    relay.is_open = True
    try:
        await memory.indexed()
        uses_vectors, hashes = await found(memory)
        assert uses_vectors
        assert set(hashes) == {HASHES[0], HASHES[2]}
    finally:
        listening.close()
        client = AsyncQdrantClient(url=server, check_compatibility=False)
        assert memory._indexer is not None
        await client.delete_collection(collection_of(memory._node, memory._indexer.embeddings.embedder))
        await client.close()


class Relay:
    """Carries bytes to a server and back."""

    def __init__(self, url: str) -> None:
        self._host, self._port = urlsplit(url).hostname, urlsplit(url).port
        self.is_open = False

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if not self.is_open:
            writer.close()
            return
        far_reader, far_writer = await asyncio.open_connection(self._host, self._port)
        await asyncio.gather(_carry(reader, far_writer), _carry(far_reader, writer))


async def _carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(ConnectionError):
        while some := await reader.read(1 << 16):
            writer.write(some)
            await writer.drain()
    writer.close()
