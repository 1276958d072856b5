"""A message is hidden or erased in the very moment in which it is being indexed."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from choir.engine.protocol import SequencedEvent
from choir.memory.database import Database
from choir.memory.embedders.wordllama import load_wordllama
from choir.memory.embedding import Embedder
from choir.memory.indexes.exact import ExactIndex
from choir.memory.indexing import Indexer
from choir.memory.memory import Memory
from choir.memory.projection import Projection
from choir.memory.records import NewContent, RecordStore
from choir.memory.text import content_hash
from choir.memory.vault import Vault
from choir.memory.vector_index import IndexUnavailable, SearchFilter
from tests.memory.events import event, posted
from tests.support.chain import digest, key
from tests.support.patience import PATIENCE_SECONDS

THREAD = digest("thread")[:32]
SALT = "ab" * 16
TEXT = "The unmistakable Zebulonia speaks of blobs and of fees. " * 12


class Moment:
    """The memory's parts around one message, and something that happens once at a chosen moment."""

    def __init__(self, directory: Path) -> None:
        self.database = Database(directory / "memory.db")
        vault = Vault(key("node"))
        self.database.write(vault.prepare, is_durable=False)
        self.records = RecordStore(self.database, vault)
        self.projection = Projection(self.database, vault)
        self.embedder: Embedder = load_wordllama()
        self.vectors = ExactIndex(self.embedder.dimensions)
        self.indexer = Indexer(self.database, vault, self.embedder, lambda: None)
        self.indexer.attach(self.vectors)
        self.hash = content_hash("author", SALT, TEXT, THREAD)

    async def post(self, level: str) -> None:
        await self.records.store_pending(NewContent(self.hash, THREAD, "author", SALT, TEXT, level, 1))
        body = posted(1, self.hash, THREAD)
        body.fields["privacy"] = level
        self.projection.apply([body])

    async def hide(self, how: str) -> None:
        """As the node follows its ledger: the records first, then the indexes."""
        await asyncio.to_thread(self.projection.apply, [_hidden(how, self.hash)])
        await self.indexer.restrict([self.hash])

    async def index_all(self) -> None:
        while await self.indexer.index_some():
            pass

    def rows(self, query: str) -> list[Any]:
        connection = sqlite3.connect(self.database._path)
        found = connection.execute(query).fetchall()
        connection.close()
        return found

    async def close(self) -> None:
        await self.vectors.aclose()
        self.database.close()


def _hidden(how: str, hashed: str) -> SequencedEvent:
    fields = {"thread_id": THREAD, "content_hash": hashed, "by": "author"}
    if how == "erased":
        return event(2, "message_erased", **fields)
    return event(2, "privacy_changed", level="thread", **fields)


@pytest.fixture
async def moment(tmp_path: Path) -> AsyncIterator[Moment]:
    made = Moment(tmp_path)
    yield made
    await made.close()


async def assert_hidden(moment: Moment, how: str) -> None:
    await moment.index_all()
    assert moment.rows("SELECT privacy FROM keyword_points") == ([] if how == "erased" else [("thread",)])
    assert moment.rows("SELECT summary FROM record") == [(None,)]
    assert (moment.rows("SELECT embedding FROM record") == [(None,)]) == (how == "erased")
    vector = (await moment.embedder.embed([TEXT]))[0]
    assert await moment.vectors.search(vector, SearchFilter(levels=frozenset({"public", "premium"})), 10) == []
    assert await moment.vectors.count() == (0 if how == "erased" else 1)


@pytest.mark.parametrize("how", ["erased", "hidden"])
@pytest.mark.parametrize("level", ["public", "premium"])
@pytest.mark.parametrize("number", [0, 1])
async def test_hidden_just_before_an_index_is_written(
    moment: Moment, monkeypatch: pytest.MonkeyPatch, level: str, how: str, number: int
) -> None:
    """``number``: which of the indexer's writes comes too late, that of the keywords or that of the vectors."""
    await moment.post(level)
    loop, write, writes = asyncio.get_running_loop(), moment.database.write, 0

    def late_write(work: Callable[[sqlite3.Connection], Any], *, is_durable: bool) -> Any:
        nonlocal writes
        writes += 1
        if writes == number + 1:
            happened = asyncio.run_coroutine_threadsafe(moment.hide(how), loop)
            if number == 0:
                happened.result(PATIENCE_SECONDS)
            else:  # the index is in step with its records only after this write: hiding waits for it
                while not moment.rows("SELECT 1 FROM record WHERE is_erased OR privacy = 'thread'"):
                    pass
        return write(work, is_durable=is_durable)

    monkeypatch.setattr(moment.database, "write", late_write)
    await moment.indexer.index_some()
    monkeypatch.undo()
    await moment.indexer.restrict([])  # whatever waits for its turn has had it
    await assert_hidden(moment, how)


@pytest.mark.parametrize("how", ["erased", "hidden"])
async def test_hidden_while_it_is_embedded(moment: Moment, monkeypatch: pytest.MonkeyPatch, how: str) -> None:
    await moment.post("public")
    embed = moment.embedder.embed

    async def slow_embed(_embedder: Embedder, texts: Sequence[str]) -> Any:
        vectors = await embed(texts)
        monkeypatch.undo()
        await moment.hide(how)
        return vectors

    monkeypatch.setattr(type(moment.embedder), "embed", slow_embed)
    await moment.indexer.index_some()
    vector = (await moment.embedder.embed([TEXT]))[0]
    assert await moment.vectors.search(vector, SearchFilter(), 10) == []
    await assert_hidden(moment, how)


@pytest.mark.parametrize("how", ["erased", "hidden"])
async def test_the_indexer_is_done_before_the_indexes_are_restricted(moment: Moment, how: str) -> None:
    """The records have the new level for a while before: it takes time to empty the write-ahead log."""
    await moment.post("public")
    await moment.index_all()
    moment.projection.apply([_hidden(how, moment.hash)])
    await moment.index_all()
    await moment.indexer.restrict([moment.hash])
    await assert_hidden(moment, how)
    assert moment.rows("SELECT to_index FROM record") == [(0,)]


@pytest.mark.parametrize("how", ["erased", "hidden"])
async def test_the_vector_index_is_away_when_a_message_is_hidden(
    moment: Moment, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    """The ledger is followed all the same, and the index told as soon as it is back."""
    await moment.post("public")
    await moment.index_all()

    async def fail(*_arguments: Any) -> None:
        raise IndexUnavailable("away")

    monkeypatch.setattr(moment.vectors, "delete", fail)
    monkeypatch.setattr(moment.vectors, "set_privacy", fail)
    await moment.hide(how)
    monkeypatch.undo()
    await assert_hidden(moment, how)


@pytest.mark.parametrize("how", ["erased", "hidden"])
@pytest.mark.parametrize("stages", [0, 1, 2])
async def test_a_crash_after_hiding_is_made_good_before_search_opens(moment: Moment, how: str, stages: int) -> None:
    """The records changed, the process died, and what is on disk of the indexes is as old as it can be."""
    await moment.post("public")
    await moment.index_all()
    if stages == 1:  # it had its keywords, but no vector yet
        moment.database.write(
            lambda db: db.execute("UPDATE record SET embedding = NULL, embedder = NULL"), is_durable=True
        )
    fields = {"thread_id": THREAD, "content_hash": moment.hash, "by": "author"}
    kind = "message_erased" if how == "erased" else "privacy_changed"
    moment.projection.apply([event(2, kind, level="thread", **fields)])
    if stages == 2:  # the keywords had followed, the vectors had not
        moment.database.write(lambda db: db.execute("UPDATE record SET to_index = 2"), is_durable=True)
    await moment.indexer.restrict_waiting()
    assert moment.rows("SELECT privacy FROM keyword_points") == ([] if how == "erased" else [("thread",)])
    vector = (await moment.embedder.embed([TEXT]))[0]
    assert await moment.vectors.search(vector, SearchFilter(), 10) == []
    await assert_hidden(moment, how)


@pytest.mark.parametrize("how", ["erased", "hidden"])
async def test_similarities_from_the_records_obey_the_filter(moment: Moment, how: str) -> None:
    await moment.post("public")
    await moment.index_all()
    vector = (await moment.embedder.embed([TEXT]))[0]
    stored = moment.indexer.embeddings.similarities
    assert stored(vector, SearchFilter(), [1, 2]) == [(1, pytest.approx(1, abs=1e-5))]
    assert stored(vector, SearchFilter(author="somebody else"), [1]) == []
    await moment.hide(how)
    await moment.index_all()
    assert stored(vector, SearchFilter(levels=frozenset({"public", "premium"})), [1]) == []
    own = stored(vector, SearchFilter(own_threads=frozenset({THREAD})), [1])
    assert own == ([] if how == "erased" else [(1, pytest.approx(1, abs=1e-5))]), "sealed, and opened for its co-author"


@pytest.mark.parametrize("how", ["erased", "hidden"])
async def test_hidden_after_the_search_has_read_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: str) -> None:
    """A search reads likely hits while it waits for vectors. What is hidden before it answers is not in the answer."""
    memory = Memory(tmp_path, key("node"))
    hashed = content_hash("author", SALT, TEXT, THREAD)
    await memory.records.store_pending(NewContent(hashed, THREAD, "author", SALT, TEXT, "public", 1))
    await memory.apply([posted(1, hashed, THREAD)])
    memory.start_search("wordllama", "exact")
    await memory.indexed()
    search = await memory.search_ready()
    search_and_read = search.search_and_read
    read: list[int] = []

    async def hidden_meanwhile(*arguments: Any) -> Any:
        found = await search_and_read(*arguments)
        read.extend(found[1])
        await memory.apply([_hidden(how, hashed)])
        return found

    monkeypatch.setattr(search, "search_and_read", hidden_meanwhile)
    assert (await memory.search("Zebulonia", SearchFilter(), 5)).found == []
    assert read == [1]
    await memory.close()
