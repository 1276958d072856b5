"""An embedding that cannot be used counts as missing: search, erasure and the start go on, and it is made anew."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import structlog

from choir.memory.embedding import EmbeddingError
from choir.memory.embeddings_store import EmbeddingStore
from choir.memory.indexing import Indexer
from choir.memory.maintenance import rebuild_vectors, reembed
from choir.memory.memory import Memory, SearchUnavailable
from choir.memory.records import NewContent
from choir.memory.text import content_hash
from choir.memory.vector_index import SearchFilter
from tests.memory.events import event, posted
from tests.support.chain import digest, key
from tests.support.patience import PATIENCE_SECONDS

THREAD = digest("thread")[:32]
SALT = "ab" * 16
TEXTS = ["Wrens build domed nests", "Swifts sleep on the wing", "Wrens sing louder than they look"]
HASHES = [content_hash("author", SALT, text, THREAD) for text in TEXTS]
NAN = "x'" + "0000c07f" * 8 + "'"
DAMAGES = [
    pytest.param("zeroblob(32)", id="zero"),
    pytest.param(NAN, id="nan"),
    pytest.param("x'010203'", id="short"),
    pytest.param("zeroblob(81)", id="not sealed by us"),
    pytest.param("zeroblob(64)", id="of twice the dimensions"),
    pytest.param("'text'", id="no bytes"),
]
INDEXES = ["exact", "edge"]


class Node:
    """The memory of a node, opened and closed, with an embedder of 8 dimensions."""

    def __init__(self, directory: Path, endpoint: str) -> None:
        self.directory = directory
        self.endpoint = endpoint

    def embedder(self, model: str = "good", dimensions: int = 8) -> str:
        return f"{self.endpoint}#{model}#{dimensions}"

    @asynccontextmanager
    async def running(self, index: str, embedder: str | None = None) -> AsyncIterator[Memory]:
        memory = Memory(self.directory, key("node"))
        try:
            memory.start_search(embedder or self.embedder(), index)
            await memory.indexed()
            yield memory
        finally:
            await memory.close()

    async def fill(self, index: str, level: str = "public") -> None:
        async with self.running(index) as memory:
            for seq, (hashed, text) in enumerate(zip(HASHES, TEXTS, strict=True), 1):
                await memory.records.store_pending(NewContent(hashed, THREAD, "author", SALT, text, level, 1))
                body = posted(seq, hashed, THREAD)
                body.fields["privacy"] = level
                await memory.apply([body])
            await memory.indexed()
            await vectors_answer(memory)

    def sql(self, statement: str) -> list[Any]:
        with closing(sqlite3.connect(self.directory / "memory.db", isolation_level=None)) as connection:
            return connection.execute(statement).fetchall()


@pytest.fixture
def node(tmp_path: Path, endpoint: str) -> Node:
    return Node(tmp_path, endpoint)


def erased(seq: int, hashed: str) -> Any:
    return event(seq, "message_erased", thread_id=THREAD, content_hash=hashed, by="author")


def hidden(seq: int, hashed: str) -> Any:
    return event(seq, "privacy_changed", thread_id=THREAD, content_hash=hashed, by="author", level="encrypted")


async def found_in(memory: Memory, query: str = "wrens", **fields: Any) -> set[int]:
    answer = await memory.search(query, SearchFilter(**fields), 10)
    return {found.record.id for found in answer.found}


async def vectors_answer(memory: Memory) -> None:
    """An index on disk may still be filled after the start."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not (await memory.search(f"nest {asyncio.get_running_loop().time()}", SearchFilter(), 10)).vectors_used:  # noqa: ASYNC110
            await asyncio.sleep(0.01)


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not holds():  # noqa: ASYNC110 - nothing announces it
            await asyncio.sleep(0.01)


@pytest.mark.parametrize("index", INDEXES)
@pytest.mark.parametrize("hide", [erased, hidden])
async def test_an_embedder_of_other_dimensions(node: Node, index: str, hide: Callable[[int, str], Any]) -> None:
    await node.fill(index)
    with structlog.testing.capture_logs() as logs:
        async with node.running(index, node.embedder("wide", 16)) as memory:
            await vectors_answer(memory)
            assert await found_in(memory) == {1, 3}, "by their words"
            await memory.apply([hide(4, HASHES[0])])
            await memory.indexed()
            assert await found_in(memory) == {3}
    told = [log["event"] for log in logs if "run choir memory reembed" in log["event"]]
    assert [log[:23] for log in told] == ["3 messages are not embe"]
    assert node.sql("SELECT embedding FROM record WHERE id = 1") == [(None,)]


async def test_others_are_told_until_there_are_none(node: Node) -> None:
    await node.fill("exact")

    async def told(model: str) -> int:
        with structlog.testing.capture_logs() as logs:
            async with node.running("exact", node.embedder(model)) as memory:
                await memory.prober()
        return sum("run choir memory reembed" in log["event"] for log in logs)

    assert [await told(model) for model in ("good", "other", "other", "good")] == [0, 1, 1, 0]
    await reembed(node.directory, key("node"), node.embedder("other"), lambda _done, _total: None)
    assert [await told(model) for model in ("good", "other", "good")] == [1, 0, 1]


async def test_an_index_on_disk_is_not_searched_with_vectors_of_another_model(node: Node) -> None:
    await node.fill("edge")
    async with node.running("edge", node.embedder("other")) as memory:
        await vectors_answer(memory)
        answer = await memory.search("wrens", SearchFilter(), 10)
        assert {hit.point_id for hit in (found.hit for found in answer.found)} == {1, 3}
        assert [found.hit.similarity for found in answer.found] == [None, None]


@pytest.mark.parametrize(("index", "level"), [("exact", "public"), ("exact", "thread"), ("edge", "public")])
@pytest.mark.parametrize("damage", DAMAGES)
async def test_a_damaged_embedding_is_made_anew(node: Node, index: str, level: str, damage: str) -> None:
    await node.fill(index, level)
    scope: dict[str, Any] = {"own_threads": frozenset({THREAD})}
    centroid = node.sql("SELECT total, messages FROM centroid")
    before = node.sql("SELECT length(embedding) FROM record ORDER BY id")
    node.sql(f"UPDATE record SET embedding = {damage} WHERE id = 1")
    with structlog.testing.capture_logs() as logs:
        async with node.running(index) as memory:
            await vectors_answer(memory)
            assert await found_in(memory, **scope) >= {1, 3}
            await until(lambda: node.sql("SELECT length(embedding) FROM record ORDER BY id") == before)
            await memory.indexed()
            answer = await memory.search(TEXTS[0], SearchFilter(**scope), 3)
            assert answer.found[0].hit.similarity == pytest.approx(1, abs=1e-5)
    assert sum("cannot be used" in log["event"] for log in logs) == 1
    ((total, messages),) = node.sql("SELECT total, messages FROM centroid")
    assert messages == centroid[0][1] == 3
    np.testing.assert_allclose(np.frombuffer(total), np.frombuffer(centroid[0][0]), atol=1e-6)


@pytest.mark.parametrize("hide", [erased, hidden])
@pytest.mark.parametrize("damage", DAMAGES)
async def test_what_has_a_damaged_embedding_is_erased_and_hidden(
    node: Node, damage: str, hide: Callable[[int, str], Any]
) -> None:
    """Its part of the centroid cannot be subtracted: the centroid is made from the rest."""
    await node.fill("exact")
    async with node.running("exact") as memory:
        node.sql(f"UPDATE record SET embedding = {damage} WHERE id = 1")
        await memory.apply([hide(4, HASHES[0])])
        assert await found_in(memory) == {2, 3}
    assert node.sql("SELECT embedding, embedder FROM record WHERE id = 1") == [(None, None)]
    rest = np.array([np.frombuffer(row[0], "<f4") for row in node.sql("SELECT embedding FROM record WHERE id > 1")])
    ((total, messages),) = node.sql("SELECT total, messages FROM centroid")
    assert messages == 2
    np.testing.assert_allclose(np.frombuffer(total), rest.sum(axis=0), atol=1e-6)


@pytest.mark.parametrize(
    "damage", ["total = x'00'", f"total = CAST({NAN} || {NAN} AS BLOB)", "messages = -1", "messages = 'x'"]
)
async def test_a_damaged_centroid_is_made_anew(node: Node, damage: str) -> None:
    await node.fill("exact")
    node.sql(f"UPDATE centroid SET {damage}")
    async with node.running("exact") as memory:
        assert await memory.phases("wrens", THREAD, HASHES) == {}
        await memory.apply([erased(4, HASHES[0])])
        assert await found_in(memory) == {2, 3}
    assert node.sql("SELECT messages FROM centroid") == [(2,)]


async def test_a_batch_of_unusable_embeddings_is_not_the_end(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("choir.memory.embeddings_store._BATCH", 1)
    await node.fill("exact")
    node.sql(f"UPDATE record SET embedding = {NAN} WHERE id < 3")
    monkeypatch.setattr(EmbeddingStore, "has_unusable", False)  # nothing is made anew meanwhile
    async with node.running("exact") as memory:
        assert memory._indexer is not None
        batches = [batch async for batch in memory._indexer.points()]
        assert [point.point_id for batch in batches for point in batch] == [3]


@pytest.mark.parametrize("index", INDEXES)
async def test_rebuild_goes_past_a_damaged_embedding(node: Node, index: str) -> None:
    await node.fill(index)
    node.sql(f"UPDATE record SET embedding = {NAN} WHERE id = 1")
    points = await rebuild_vectors(node.directory, key("node"), node.embedder(), index, lambda _done, _total: None)
    assert points == 2
    async with node.running(index) as memory:
        await vectors_answer(memory)
        answer = await memory.search(TEXTS[0], SearchFilter(), 1)
        assert answer.found[0].hit.similarity == pytest.approx(1, abs=1e-5)


async def test_reembed_tries_before_it_drops_anything(node: Node) -> None:
    await node.fill("edge")
    everything = node.sql("SELECT * FROM record"), node.sql("SELECT * FROM centroid")
    files = sorted(path.name for path in (node.directory / "vectors").iterdir())
    with pytest.raises(EmbeddingError, match="nothing was changed"):
        await reembed(node.directory, key("node"), node.embedder("nan"), lambda _done, _total: None)
    assert (node.sql("SELECT * FROM record"), node.sql("SELECT * FROM centroid")) == everything
    assert sorted(path.name for path in (node.directory / "vectors").iterdir()) == files


async def test_while_a_hidden_message_is_in_an_index_nothing_is_searched(
    node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The ledger is followed all the same, and search comes back when the message is out."""
    await node.fill("exact")
    monkeypatch.setattr("choir.memory.memory._HIDING_PAUSE_SECONDS", 0.01)
    async with node.running("exact") as memory:
        restrict = Indexer.restrict
        broken = asyncio.Event()

        async def fail(indexer: Indexer, hashes: list[str]) -> None:
            if broken.is_set():
                await restrict(indexer, hashes)
            else:
                raise ValueError("an index of another kind")

        monkeypatch.setattr(Indexer, "restrict", fail)
        await memory.apply([erased(4, HASHES[0])])
        assert memory.projection.last_seq() == 4
        for ask in (memory.search, memory.suggest):
            with pytest.raises(SearchUnavailable, match="hidden"):
                await ask("wrens", SearchFilter(), 5)
        await memory.apply([hidden(5, HASHES[1])])
        broken.set()
        await until(lambda: not memory._still_indexed)
        assert await found_in(memory) == {3}
        assert node.sql("SELECT count(*) FROM keyword_points") == [(1,)]


async def test_a_write_that_fails_while_hiding_is_left_to_the_follower(
    node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    await node.fill("exact")
    async with node.running("exact") as memory:

        async def fail(_indexer: Indexer, _hashes: list[str]) -> None:
            raise sqlite3.OperationalError("database or disk is full")

        monkeypatch.setattr(Indexer, "restrict", fail)
        with pytest.raises(sqlite3.OperationalError):
            await memory.apply([erased(4, HASHES[0])])
        with pytest.raises(SearchUnavailable):
            await memory.search("wrens", SearchFilter(), 5)
        monkeypatch.undo()
        await memory.apply([erased(4, HASHES[0])], is_repeated=True)
        assert await found_in(memory) == {2, 3}
