"""The projection: the same tables from the same events, however they are cut and however often it is stopped."""

import multiprocessing
import os
import random
import shutil
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from choir.engine.protocol import SequencedEvent
from choir.memory.database import Database
from choir.memory.projection import Projection
from choir.memory.vault import Vault
from tests.memory.events import event, posted, submitted
from tests.support.chain import NODE, digest

TABLES = ("record", "thread", "co_author", "voter", "activity", "meta")
NAMES = ("ann", "bob", "cid", "dot")


def history(randomness: random.Random, length: int) -> list[SequencedEvent]:
    """A plausible history with every kind of event that is projected, and some that are not."""
    events: list[SequencedEvent] = []
    threads: list[str] = []
    messages: list[str] = []
    open_specs: dict[str, tuple[str, str, list[str]]] = {}

    def add(kind: str, **fields: Any) -> None:
        events.append(event(len(events) + 1, kind, **fields))

    while len(events) < length:
        seq, author = len(events) + 1, randomness.choice(NAMES)
        step = randomness.randrange(8)
        if step == 0 or not threads:
            threads.append(digest(f"thread {seq}")[:32])
            add("thread_created", thread_id=threads[-1], creator=author, privacy="public")
        elif step in (1, 2):
            messages.append(digest(f"message {seq}"))
            events.append(posted(seq, messages[-1], randomness.choice(threads), author))
        elif step == 3:
            spec_id, thread_id = digest(f"spec {seq}"), randomness.choice(threads)
            voters = randomness.sample(NAMES, 2)
            open_specs[spec_id] = (thread_id, author, voters)
            events.append(submitted(seq, spec_id, author=author, thread_id=thread_id, voters=tuple(voters)))
        elif step == 4 and open_specs:
            spec_id, (thread_id, _, voters) = randomness.choice(list(open_specs.items()))
            vote = randomness.random() < 0.5
            add("approval_cast", thread_id=thread_id, spec_id=spec_id, voter=voters[0], approve=vote, votes_missing=1)
        elif step == 5 and open_specs:
            spec_id, (thread_id, spec_author, _) = open_specs.popitem()
            outcome = randomness.choice(("approved", "denied", "expired", "withdrawn"))
            add(
                "spec_settled",
                thread_id=thread_id,
                spec_id=spec_id,
                author=spec_author,
                outcome=outcome,
                to_approvers={"ann": 5} if outcome == "approved" else {},
                to_author=0,
                to_thread=0,
                to_treasury=7,
            )
            if outcome == "approved":
                add("co_author_added", thread_id=thread_id, co_author=spec_author, spec_id=spec_id)
        elif step == 6 and messages:
            add("privacy_changed", thread_id=threads[0], content_hash=messages[-1], level="thread", by=author)
        elif step == 7 and messages:
            add("message_erased", thread_id=threads[0], content_hash=randomness.choice(messages), by=author)
        else:
            add("transferred", sender=author, to=randomness.choice(NAMES), amount=5)
    return events


def chunked(events: list[SequencedEvent], randomness: random.Random) -> list[list[SequencedEvent]]:
    chunks, start = [], 0
    while start < len(events):
        size = randomness.choice((1, 1, 2, 7, 50))
        chunks.append(events[start : start + size])
        start += size
    return chunks


def dump(path: Path) -> dict[str, list[Any]]:
    connection = sqlite3.connect(path)
    tables = {
        table: connection.execute(f"SELECT * FROM {table} ORDER BY 1, 2, 3").fetchall()
        if table != "meta"
        else connection.execute("SELECT * FROM meta ORDER BY key").fetchall()
        for table in TABLES
    }
    connection.close()
    return tables


def apply_whole(path: Path, events: list[SequencedEvent]) -> dict[str, list[Any]]:
    database = Database(path)
    Projection(database, Vault(NODE)).apply(events)
    database.close()
    return dump(path)


def test_any_cutting_with_restarts_gives_the_same_tables(tmp_path: Path) -> None:
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    randomness = random.Random(seed)
    events = history(randomness, 400)
    expected = apply_whole(tmp_path / "whole.db", events)
    assert all(expected[table] for table in TABLES)
    for attempt in range(5):
        path = tmp_path / f"cut-{attempt}.db"
        for chunk in chunked(events, randomness):
            database = Database(path)
            projection = Projection(database, Vault(NODE))
            assert projection.last_seq() == chunk[0].seq - 1
            projection.apply(chunk)
            database.close()
        assert dump(path) == expected


def test_a_vote_on_a_spec_from_before_the_snapshot_that_the_ledger_began_from(tmp_path: Path) -> None:
    database = Database(tmp_path / "memory.db")
    projection = Projection(database, Vault(NODE))
    projection.skip_to(30)
    projection.apply([event(31, "approval_cast", spec_id=digest("an old spec"), voter="ann", approve=True)])
    assert (projection.last_seq(), len(projection.activity("ann", before_seq=99, limit=9))) == (31, 1)
    database.close()


def test_a_batch_that_fails_leaves_nothing(tmp_path: Path) -> None:
    events = history(random.Random(1), 50)
    database = Database(tmp_path / "memory.db")
    projection = Projection(database, Vault(NODE))
    projection.apply(events[:20])
    before = dump(tmp_path / "memory.db")
    broken = [*events[20:30], event(31, "message_posted", content_hash=digest("no thread"))]
    with pytest.raises((TypeError, KeyError)):
        projection.apply(broken)
    assert dump(tmp_path / "memory.db") == before
    projection.apply(events[20:])
    database.close()
    assert dump(tmp_path / "memory.db") == apply_whole(tmp_path / "whole.db", events)


def apply_and_die(path: Path, events: list[SequencedEvent], statements: int) -> None:
    """Die inside a batch, after so many statements."""
    database = Database(path)
    counted = 0

    def count(_: str) -> None:
        nonlocal counted
        counted += 1
        if counted == statements:
            os._exit(9)

    database._writer.set_trace_callback(count)
    for start in range(Projection(database, Vault(NODE)).last_seq(), len(events), 10):
        Projection(database, Vault(NODE)).apply(events[start : start + 10])


def test_killed_at_any_statement_it_goes_on_exactly_where_it_was(tmp_path: Path) -> None:
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    randomness = random.Random(seed)
    events = history(randomness, 120)
    expected = apply_whole(tmp_path / "whole.db", events)
    path = tmp_path / "killed.db"
    context = multiprocessing.get_context("fork")
    code = 9
    while code == 9:
        process = context.Process(target=apply_and_die, args=(path, events, randomness.randrange(3, 120)))
        process.start()
        process.join()
        code = process.exitcode or 0
        database = Database(path)
        assert Projection(database, Vault(NODE)).last_seq() % 10 == 0
        database.close()
    assert code == 0
    assert dump(path) == expected


def test_rebuilding_from_nothing_keeps_what_is_erased_erased(tmp_path: Path) -> None:
    """The content is the source of truth, the rest comes again from the events."""
    events = history(random.Random(2), 300)
    first = apply_whole(tmp_path / "first.db", events)
    shutil.copy(tmp_path / "first.db", tmp_path / "second.db")
    connection = sqlite3.connect(tmp_path / "second.db")
    for table in ("thread", "co_author", "voter", "activity"):
        connection.execute(f"DELETE FROM {table}")
    connection.execute("UPDATE record SET seq = NULL, tx_hash = NULL, spec = NULL, status = 'pending'")
    connection.execute("UPDATE meta SET value = 0 WHERE key = 'last_seq'")
    connection.commit()
    connection.close()
    assert apply_whole(tmp_path / "second.db", events) == first


@pytest.mark.parametrize("skipped", [-1, 1, 5])
def test_events_out_of_their_order_are_refused(tmp_path: Path, skipped: int) -> None:
    """Applied twice or with a gap, the tables would say what never was."""
    events = history(random.Random(3), 30)
    database = Database(tmp_path / "memory.db")
    projection = Projection(database, Vault(NODE))
    projection.apply(events[:10])
    before = dump(tmp_path / "memory.db")
    with pytest.raises(ValueError, match="follow"):
        projection.apply(events[10 + skipped :])
    assert dump(tmp_path / "memory.db") == before
    database.close()


def test_activity_names_everyone_concerned_once(tmp_path: Path) -> None:
    database = Database(tmp_path / "memory.db")
    projection = Projection(database, Vault(NODE))
    settled = event(
        2,
        "spec_settled",
        thread_id="0" * 32,
        spec_id=digest("s"),
        author="bob",
        outcome="approved",
        to_approvers={"ann": 5, "bob": 5},
        to_author=0,
        to_thread=0,
        to_treasury=0,
    )
    projection.apply([event(1, "transferred", sender="ann", to="ann", amount=1), settled])
    assert [item["seq"] for item in projection.activity("ann", before_seq=99, limit=10)] == [2, 1]
    assert [item["seq"] for item in projection.activity("bob", before_seq=99, limit=10)] == [2]
    database.close()
