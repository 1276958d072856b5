"""What the memory says it holds, and whether that is what was hashed."""

import pytest

from choir.memory.database import Database
from choir.memory.holdings import Holdings
from choir.memory.projection import Projection
from choir.memory.records import NewContent, RecordStore
from choir.memory.text import content_hash
from choir.memory.vault import Vault
from tests.memory.events import event, posted
from tests.support.chain import NODE

THREAD, SALT = "0" * 32, "5a" * 16
EVERYTHING = ("0" * 64, "f" * 64)


def hash_of(number: int) -> str:
    return content_hash("author", SALT, f"text {number}", THREAD)


@pytest.fixture
async def holdings(database: Database) -> Holdings:
    """Three committed texts at 1001, 1002 and 1003 ms, a fourth without text, and one whose transaction never came."""
    vault = Vault(NODE)
    database.write(vault.prepare, is_durable=False)
    records, projection = RecordStore(database, vault), Projection(database, vault)
    for number in (1, 2, 3, 5):
        content = NewContent(hash_of(number), THREAD, "author", SALT, f"text {number}", "public", 0)
        await records.store_pending(content)
    projection.apply([posted(number, hash_of(number)) for number in (1, 2, 3, 4)])
    return Holdings(database, vault)


def change(database: Database, statement: str) -> None:
    database.write(lambda connection: connection.execute(statement, (hash_of(1),)), is_durable=False)


def test_held_is_what_is_committed_and_has_its_text(holdings: Holdings) -> None:
    held = sorted(map(hash_of, (1, 2, 3)))
    assert holdings.between(*EVERYTHING, before_ms=2000, limit=10) == held
    assert holdings.between(*EVERYTHING, before_ms=2000, limit=2) == held[:2]
    assert holdings.between(held[1], held[2], before_ms=2000, limit=10) == held[1:]
    assert holdings.between(*EVERYTHING, before_ms=1003, limit=10) == sorted(map(hash_of, (1, 2)))


def test_what_is_erased_is_not_held(holdings: Holdings, database: Database) -> None:
    erased = event(5, "message_erased", thread_id=THREAD, content_hash=hash_of(1), by="author")
    Projection(database, Vault(NODE)).apply([erased])
    assert holdings.between(*EVERYTHING, before_ms=2000, limit=10) == sorted(map(hash_of, (2, 3)))


def test_what_is_held_is_found_without_reading_the_rest(holdings: Holdings, database: Database) -> None:
    seen: list[str] = []
    database.reader().set_trace_callback(seen.append)
    holdings.between(*EVERYTHING, before_ms=2000, limit=10)
    (plan,) = database.reader().execute(f"EXPLAIN QUERY PLAN {seen[0]}").fetchall()
    assert "SEARCH record USING INDEX" in plan["detail"]
    assert "content_hash" in plan["detail"]


@pytest.mark.parametrize(
    ("statement", "kind"),
    [
        ("UPDATE record SET text = 'another' WHERE content_hash = ?", "hash_differs"),
        ("UPDATE record SET salt = 'none' WHERE content_hash = ?", "hash_differs"),
        ("UPDATE record SET text = NULL WHERE content_hash = ?", "text_missing"),
        ("UPDATE record SET sealed = zeroblob(90) WHERE content_hash = ?", "unreadable"),
        ("UPDATE record SET text = CAST(x'ff' AS TEXT) WHERE content_hash = ?", "unreadable"),
        ("UPDATE record SET seq = NULL WHERE content_hash = ?", "record_missing"),
        ("DELETE FROM record WHERE content_hash = ?", "record_missing"),
    ],
)
def test_a_challenge_finds(holdings: Holdings, database: Database, statement: str, kind: str) -> None:
    assert holdings.challenge(hash_of(1), THREAD, "author") is None
    change(database, statement)
    problem = holdings.challenge(hash_of(1), THREAD, "author")
    assert problem is not None
    assert problem.kind == kind


def test_another_author_or_thread_is_not_what_was_signed(holdings: Holdings) -> None:
    for thread_id, author in ((THREAD, "other"), ("1" * 32, "author")):
        problem = holdings.challenge(hash_of(1), thread_id, author)
        assert problem is not None
        assert problem.kind == "hash_differs"
