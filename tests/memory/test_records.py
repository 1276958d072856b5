"""Content records: kept durably before their transaction, swept when it never comes, and told when they cannot be."""

import asyncio
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from choir.memory.database import Database
from choir.memory.projection import Projection
from choir.memory.records import NewContent, RecordStore, SpecQuery
from choir.memory.vault import Vault
from tests.memory.events import posted, submitted
from tests.support.chain import NODE, digest
from tests.support.patience import PATIENCE_SECONDS


@pytest.fixture
def records(database: Database) -> RecordStore:
    return RecordStore(database, Vault(NODE))


def content(number: int, received_at_ms: int = 0) -> NewContent:
    return NewContent(
        digest(f"content {number}"), "0" * 32, "author", "5a" * 16, f"text {number}", "public", received_at_ms
    )


def texts(database: Database) -> dict[str, Any]:
    return {row[0]: row[1] for row in database.reader().execute("SELECT content_hash, text FROM record")}


def statements_of(database: Database) -> list[str]:
    """Everything that the writing connection runs from now on."""
    statements: list[str] = []
    database._writer.set_trace_callback(statements.append)
    return statements


async def test_pending_content_is_not_shown(records: RecordStore, database: Database) -> None:
    await records.store_pending(content(1))
    assert records.get(content(1).content_hash) is None
    assert records.of_thread("0" * 32, after_seq=0, limit=10) == []
    assert texts(database) == {content(1).content_hash: "text 1"}


async def test_it_is_shown_once_its_event_has_come(records: RecordStore, database: Database) -> None:
    await records.store_pending(content(1))
    Projection(database, Vault(NODE)).apply([posted(1, content(1).content_hash)])
    record = records.get(content(1).content_hash)
    assert record is not None
    assert (record.text, record.salt, record.status, record.seq) == ("text 1", "5a" * 16, "approved", 1)
    assert records.opening_of("0" * 32) == record


async def test_many_at_once_are_written_in_few_commits(records: RecordStore, database: Database) -> None:
    statements = statements_of(database)
    await asyncio.gather(*(records.store_pending(content(number)) for number in range(500)))
    assert len(texts(database)) == 500
    commits = statements.count("COMMIT")
    assert 1 <= commits <= 5, commits
    assert "PRAGMA synchronous = FULL" in statements


async def test_each_is_durable_before_it_is_told(tmp_path: Path) -> None:
    """What was told to be stored is there for a connection that has never seen the first one's memory."""
    database = Database(tmp_path / "memory.db")
    records = RecordStore(database, Vault(NODE))

    async def store_and_look(number: int) -> None:
        await records.store_pending(content(number))
        other = sqlite3.connect(tmp_path / "memory.db")
        found = other.execute("SELECT text FROM record WHERE content_hash = ?", (content(number).content_hash,))
        assert found.fetchone() == (f"text {number}",)
        other.close()

    await asyncio.gather(*(store_and_look(number) for number in range(50)))
    database.close()


async def test_a_caller_that_leaves_takes_nobody_along(records: RecordStore, database: Database) -> None:
    waiting = [asyncio.ensure_future(records.store_pending(content(number))) for number in range(20)]
    await asyncio.sleep(0)
    for task in waiting[::2]:
        task.cancel()
    results = await asyncio.gather(*waiting, return_exceptions=True)
    assert results[1::2] == [None] * 10
    await records.store_pending(content(99))
    assert content(99).content_hash in texts(database)


async def test_a_disk_that_fails_is_told_to_everyone_waiting(records: RecordStore, database: Database) -> None:
    database._writer.execute("PRAGMA query_only = 1")  # every write fails, as on a disk that is full or read-only
    results = await asyncio.gather(*(records.store_pending(content(n)) for n in range(10)), return_exceptions=True)
    assert all(isinstance(result, sqlite3.Error) for result in results)
    database._writer.execute("PRAGMA query_only = 0")
    # When the disk is well again, so is the store.
    await records.store_pending(content(1))
    assert texts(database) == {content(1).content_hash: "text 1"}


async def test_a_real_full_disk(records: RecordStore, database: Database) -> None:
    pages = database._writer.execute("PRAGMA page_count").fetchone()[0]
    database._writer.execute(f"PRAGMA max_page_count = {pages}")
    large = content(1)._replace(text="x" * 65_536)
    with pytest.raises(sqlite3.OperationalError, match="full"):
        await records.store_pending(large)
    assert texts(database) == {}


@pytest.mark.parametrize("failure", [RuntimeError("broken"), MemoryError()])
async def test_an_unforeseen_failure_does_not_leave_anyone_waiting(
    records: RecordStore, database: Database, monkeypatch: pytest.MonkeyPatch, failure: Exception
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise failure

    monkeypatch.setattr(database, "write", fail)
    async with asyncio.timeout(PATIENCE_SECONDS):
        results = await asyncio.gather(*(records.store_pending(content(n)) for n in range(3)), return_exceptions=True)
    assert [type(result) for result in results] == [type(failure)] * 3
    monkeypatch.undo()
    async with asyncio.timeout(PATIENCE_SECONDS):
        await records.store_pending(content(1))


async def test_only_old_pending_content_is_swept(records: RecordStore, database: Database) -> None:
    for number, received_at_ms in enumerate([100, 199, 200, 300]):
        await records.store_pending(content(number, received_at_ms))
    Projection(database, Vault(NODE)).apply([posted(1, content(0).content_hash)])
    assert await records.sweep(200) == 1
    assert set(texts(database)) == {content(n).content_hash for n in (0, 2, 3)}
    assert await records.sweep(200) == 0


async def test_content_that_comes_again_after_it_was_swept(records: RecordStore, database: Database) -> None:
    """The event came first, without content; a transaction that is posted again brings it."""
    Projection(database, Vault(NODE)).apply([posted(1, content(1).content_hash)])
    record = records.get(content(1).content_hash)
    assert record is not None
    assert record.text is None
    await records.store_pending(content(1))
    record = records.get(content(1).content_hash)
    assert record is not None
    assert (record.text, record.status) == ("text 1", "approved")
    assert await records.sweep(2**60) == 0


async def test_specs_are_found_by_every_filter(records: RecordStore, database: Database) -> None:
    events = [
        submitted(1, digest("a"), author="ann", thread_id="1" * 32, voters=("vic", "wes")),
        submitted(2, digest("b"), author="ann", thread_id="2" * 32, voters=("wes",)),
        submitted(3, digest("c"), author="bob", thread_id="1" * 32, voters=("vic",)),
    ]
    Projection(database, Vault(NODE)).apply(events)
    cases: list[tuple[dict[str, str], str]] = [
        ({}, "cba"),
        ({"author": "ann"}, "ba"),
        ({"voter": "wes"}, "ba"),
        ({"voter": "vic", "author": "bob"}, "c"),
        ({"thread_id": "1" * 32, "status": "open"}, "ca"),
        ({"status": "denied"}, ""),
    ]
    for filters, expected in cases:
        found = records.specs(SpecQuery(2**62, 10, **filters))
        assert [record.content_hash for record in found] == [digest(name) for name in expected], filters
        plan = explain(database, SpecQuery(2**62, 10, **filters))
        assert not any("SCAN record" in step and "record_spec" not in step for step in plan), (filters, plan)


def explain(database: Database, query: SpecQuery) -> list[str]:
    where, arguments = query.condition()
    sql = f"EXPLAIN QUERY PLAN SELECT record.* FROM {where} ORDER BY record.seq DESC LIMIT 10"
    return [row[3] for row in database.reader().execute(sql, arguments)]


@pytest.mark.parametrize("look", [lambda r: r.get("x"), lambda r: r.opening_of("x"), lambda r: r.open_specs_of("x", 5)])
def test_what_is_not_there(records: RecordStore, look: Callable[[RecordStore], Any]) -> None:
    assert not look(records)
