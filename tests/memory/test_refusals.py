"""A text that the embedder refuses keeps no other from being embedded, and an embedder that refuses all marks none."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest
import structlog

from choir.memory.database import Database
from choir.memory.embedding import EmbeddingError, Vectors, unit_vectors
from choir.memory.indexes.exact import ExactIndex
from choir.memory.indexing import REFUSED, Indexer
from choir.memory.projection import Projection
from choir.memory.records import NewContent, RecordStore
from choir.memory.text import content_hash
from choir.memory.vault import Vault
from tests.memory.events import event, posted
from tests.support.chain import NODE, digest
from tests.support.patience import PATIENCE_SECONDS

THREAD = digest("thread")[:32]
SALT = "ab" * 16
TEXTS = ("The fee market for blobs", "a text that is too much", "Cooking pasta takes eleven minutes")
HASHES = [content_hash("author", SALT, text, THREAD) for text in TEXTS]
SINGLE = 1  # which of them is refused


class Endpoint:
    """Refuses what a test names."""

    name, version, dimensions, keyword_weight = "endpoint", "1", 8, 0.4

    def __init__(self) -> None:
        self.refused: set[str] = {TEXTS[SINGLE]}
        self.refuses_all = False
        self.is_away = False
        self.left = 1_000  # texts until it refuses all
        self.asked: list[list[str]] = []

    async def embed(self, texts: Sequence[str]) -> Vectors:
        self.asked.append(list(texts))
        self.left -= 1
        if self.is_away:
            raise EmbeddingError("said 503", retryable=True)
        if self.refuses_all or self.left < 0 or self.refused & set(texts):
            raise EmbeddingError("said 400")
        return unit_vectors([[len(text), *[1.0] * 7] for text in texts], len(texts), 8)

    async def aclose(self) -> None:
        """Nothing to close."""


class World:
    def __init__(self, directory: Path) -> None:
        self.database = Database(directory / "memory.db")
        vault = Vault(NODE)
        self.database.write(vault.prepare, is_durable=False)
        self.records = RecordStore(self.database, vault)
        self.projection = Projection(self.database, vault)
        self.seq = 0
        self.endpoint = Endpoint()
        self.index = ExactIndex(8)
        self.indexer = Indexer(self.database, vault, self.endpoint, lambda: None)
        self.indexer.attach(self.index)

    async def post(self, *numbers: int) -> None:
        for number in numbers:
            content = NewContent(HASHES[number], THREAD, "author", SALT, TEXTS[number], "public", 1)
            await self.records.store_pending(content)
            self.seq += 1
            self.projection.apply([posted(self.seq, HASHES[number], THREAD)])

    async def index_all(self) -> None:
        while await self.indexer.index_some():
            pass

    def stages(self) -> list[int]:
        return self.column("SELECT to_index FROM record ORDER BY id")

    def column(self, query: str) -> list[int]:
        return [row[0] for row in self.database.reader().execute(query)]


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    made = World(tmp_path)
    async with asyncio.timeout(PATIENCE_SECONDS):
        yield made
    await made.index.aclose()
    made.database.close()


async def test_one_refused_text_is_set_aside_and_the_others_are_embedded(world: World) -> None:
    await world.post(0, 1, 2)
    with structlog.testing.capture_logs() as logs:
        await world.index_all()
        await world.index_all()
    assert world.stages() == [0, REFUSED, 0]
    told = [log["content_hash"] for log in logs if log["event"].startswith("the embedder refuses a text")]
    assert told == [HASHES[SINGLE]]
    assert await world.index.count() == 2
    assert sorted(world.column("SELECT point_id FROM keyword_points")) == [1, 2, 3]
    assert world.indexer.count_waiting() == 0
    asked = len(world.endpoint.asked)
    await world.index_all()
    assert len(world.endpoint.asked) == asked, "it is not asked for again"


async def test_a_refused_text_alone_is_set_aside_too(world: World) -> None:
    await world.post(1)
    await world.index_all()
    assert world.stages() == [REFUSED]


@pytest.mark.parametrize("left", [0, 1, 2, 3, 4])
async def test_an_endpoint_that_refuses_all_marks_nothing(world: World, left: int) -> None:
    """From the first text on, or from a later one: a key that was withdrawn."""
    await world.post(0, 1, 2)
    world.endpoint.left = left
    with pytest.raises(EmbeddingError):
        await world.index_all()
    assert world.stages() == [2, 2, 2]
    world.endpoint.left = 1_000
    world.endpoint.refused = set()
    await world.index_all()
    assert world.stages() == [0, 0, 0]


async def test_an_endpoint_that_is_away_marks_nothing(world: World) -> None:
    await world.post(0, 1)
    world.endpoint.is_away = True
    with pytest.raises(EmbeddingError):
        await world.index_all()
    assert world.stages() == [2, 2]
    assert [len(texts) for texts in world.endpoint.asked] == [2]


async def test_a_refused_text_is_embedded_when_it_is_asked_for_again(world: World) -> None:
    await world.post(0, 1, 2)
    await world.index_all()
    fields = {"thread_id": THREAD, "content_hash": HASHES[SINGLE], "by": "author"}
    world.projection.apply([event(4, "privacy_changed", level="premium", **fields)])
    assert world.stages() == [0, 1, 0]
    await world.index_all()
    assert world.stages() == [0, REFUSED, 0]
    world.endpoint.refused = set()
    world.indexer.mark_all()
    assert world.stages() == [1, 1, 1]
    await world.index_all()
    assert world.stages() == [0, 0, 0]
    assert await world.index.count() == 3


async def test_a_text_that_was_embedded_and_is_refused_now_leaves_the_index(world: World) -> None:
    world.endpoint.refused = set()
    await world.post(0, 1)
    await world.index_all()
    world.endpoint.refused = {TEXTS[SINGLE]}
    world.indexer.mark_all()
    await world.index_all()
    assert world.stages() == [0, REFUSED]
    assert await world.index.count() == 1
    assert world.column("SELECT count(*) FROM record WHERE embedding IS NOT NULL") == [1]


async def test_run_goes_on_behind_a_refused_text(world: World) -> None:
    await world.post(1)
    task = asyncio.create_task(world.indexer.run())
    await world.indexer.idle()
    await world.post(0, 2)
    world.indexer.wake()
    await world.indexer.idle()
    assert world.stages() == [REFUSED, 0, 0]
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
