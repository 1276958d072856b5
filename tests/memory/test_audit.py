"""The audit log in a real database: what is written, paged, counted and dropped."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from choir.memory.audit import COALESCE_MS, AuditLog, CursorError, PrivacyCounters
from choir.memory.privacy import Right

THREAD, OTHER = "0f" * 16, "1e" * 16
DAY_MS = 86_400_000
NOW_MS = 1_000 * DAY_MS


@pytest.fixture
def database(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(tmp_path / "memory.db", isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = OFF")
    yield connection
    connection.close()


@pytest.fixture
def log(database: sqlite3.Connection) -> AuditLog:
    return AuditLog(database)


def _read_hashes(log: AuditLog, thread_id: str, limit: int) -> list[str]:
    hashes, cursor = [], None
    while True:
        page = log.list_entries(thread_id, cursor, limit)
        assert len(page.entries) <= limit
        hashes += [entry.content_hash for entry in page.entries]
        cursor = page.next_cursor
        if cursor is None:
            return hashes


def test_an_access_is_written_as_it_was(log: AuditLog) -> None:
    log.record(None, "h1", THREAD, Right.READ, NOW_MS, allowed=False)
    log.record("ann", "h2", THREAD, Right.SEARCH, NOW_MS + 1, allowed=True)
    page = log.list_entries(THREAD)
    seen = [(e.viewer, e.content_hash, e.right, e.at_ms, e.allowed, e.times) for e in page.entries]
    assert seen == [("ann", "h2", "search", NOW_MS + 1, True, 1), (None, "h1", "read", NOW_MS, False, 1)]
    assert page.next_cursor is None
    assert log.list_entries(OTHER).entries == []


@pytest.mark.parametrize("total", [0, 1, 2, 3, 7])
@pytest.mark.parametrize("limit", [1, 2, 3])
def test_pages_hold_every_entry_once(log: AuditLog, total: int, limit: int) -> None:
    for index in range(total):
        log.record("ann", f"h{index}", THREAD, Right.READ, NOW_MS + index, allowed=True)
        log.record("ann", f"h{index}", OTHER, Right.READ, NOW_MS + index, allowed=True)
    assert _read_hashes(log, THREAD, limit) == [f"h{index}" for index in reversed(range(total))]


def test_what_is_written_while_paging_moves_no_page(log: AuditLog) -> None:
    for index in range(4):
        log.record("ann", f"h{index}", THREAD, Right.READ, NOW_MS, allowed=True)
    first = log.list_entries(THREAD, limit=2)
    log.record("ben", "h9", THREAD, Right.READ, NOW_MS, allowed=True)
    second = log.list_entries(THREAD, first.next_cursor, limit=2)
    assert [entry.content_hash for entry in first.entries + second.entries] == ["h3", "h2", "h1", "h0"]


@pytest.mark.parametrize("cursor", ["", "x", "-1", "1.5", "²", "9" * 19, "1 OR 1=1"])
def test_a_made_up_cursor_is_refused(log: AuditLog, cursor: str) -> None:
    with pytest.raises(CursorError):
        log.list_entries(THREAD, cursor)


@pytest.mark.parametrize(("limit", "length"), [(-1, 1), (0, 1), (10**9, 200)])
def test_the_page_size_is_bounded(log: AuditLog, limit: int, length: int) -> None:
    for index in range(201):
        log.record("ann", f"h{index}", THREAD, Right.READ, NOW_MS, allowed=True)
    assert len(log.list_entries(THREAD, limit=limit).entries) == length


def test_a_loop_is_one_entry_an_hour_and_counts_every_time(log: AuditLog) -> None:
    for tick in range(100):
        log.record("mal", "h1", THREAD, Right.READ, NOW_MS + tick, allowed=False)
    log.record("mal", "h1", THREAD, Right.READ, NOW_MS + COALESCE_MS, allowed=False)
    newest, oldest = log.list_entries(THREAD).entries
    assert (oldest.times, oldest.at_ms, oldest.last_at_ms) == (100, NOW_MS, NOW_MS + 99)
    assert newest.times == 1
    assert log.get_counters().unauthorised_attempts == 101


def test_different_accesses_are_not_put_together(log: AuditLog) -> None:
    for viewer in ("ann", None):
        for right in (Right.READ, Right.CITE):
            for allowed in (True, False):
                log.record(viewer, "h1", THREAD, right, NOW_MS, allowed)
    entries = log.list_entries(THREAD).entries
    assert len({(entry.viewer, entry.right, entry.allowed) for entry in entries}) == len(entries) == 8


ACCESSES = st.lists(st.tuples(st.sampled_from(list(Right)), st.booleans(), st.integers(0, 3 * COALESCE_MS)))


@given(ACCESSES, st.lists(st.integers(1, 9), max_size=5))
def test_counters_count_each_access(accesses: list[tuple[Right, bool, int]], served: list[int]) -> None:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    log = AuditLog(connection)
    for right, allowed, at_ms in accesses:
        log.record("ann", "h1", THREAD, right, at_ms, allowed)
    for count in served:
        log.count_summaries(count)
    log.prune(10_000 * DAY_MS)
    refused = sum(not allowed for _, allowed, _ in accesses)
    reads = sum(allowed and right is Right.READ for right, allowed, _ in accesses)
    assert log.get_counters() == PrivacyCounters(refused, reads, sum(served))
    connection.close()


def test_old_entries_go_after_the_retention(database: sqlite3.Connection) -> None:
    log = AuditLog(database, retention_days=30)
    log.record("ann", "old", THREAD, Right.READ, NOW_MS - 30 * DAY_MS - 1, allowed=True)
    log.record("ann", "kept", THREAD, Right.READ, NOW_MS - 30 * DAY_MS, allowed=True)
    assert log.prune(NOW_MS) == 1
    assert _read_hashes(log, THREAD, 10) == ["kept"]


def test_a_flood_of_strangers_pushes_out_no_real_access(database: sqlite3.Connection) -> None:
    log = AuditLog(database, refused_per_thread=3)
    log.record("ann", "read", THREAD, Right.READ, NOW_MS, allowed=True)
    log.record("mal", "other", OTHER, Right.READ, NOW_MS, allowed=False)
    for index in range(10):
        log.record(f"mal{index}", f"h{index}", THREAD, Right.READ, NOW_MS, allowed=False)
    assert log.prune(NOW_MS) == 7
    assert _read_hashes(log, THREAD, 10) == ["h9", "h8", "h7", "read"]
    assert _read_hashes(log, OTHER, 10) == ["other"]
    assert log.get_counters().unauthorised_attempts == 11


def test_workers_share_the_log(log: AuditLog, tmp_path: Path) -> None:
    other = sqlite3.connect(tmp_path / "memory.db", isolation_level=None)
    AuditLog(other).record("ann", "h1", THREAD, Right.READ, NOW_MS, allowed=True)
    log.record("ann", "h1", THREAD, Right.READ, NOW_MS, allowed=True)
    assert log.list_entries(THREAD).entries[0].times == 2
    assert log.get_counters().private_reads == 2
    other.close()


def test_an_entry_goes_with_the_callers_transaction(database: sqlite3.Connection, log: AuditLog) -> None:
    database.execute("BEGIN")
    log.record("ann", "h1", THREAD, Right.READ, NOW_MS, allowed=True)
    database.execute("ROLLBACK")
    assert log.list_entries(THREAD).entries == []
    assert log.get_counters().private_reads == 0


def test_a_failed_write_leaves_neither_entry_nor_transaction(database: sqlite3.Connection, log: AuditLog) -> None:
    database.execute("DROP TABLE privacy_counters")
    with pytest.raises(sqlite3.OperationalError):
        log.record("ann", "h1", THREAD, Right.READ, NOW_MS, allowed=True)
    assert not database.in_transaction
    assert log.list_entries(THREAD).entries == []


@pytest.mark.parametrize("settings", [{"retention_days": 0}, {"refused_per_thread": 0}])
def test_a_log_that_keeps_nothing_is_refused(database: sqlite3.Connection, settings: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="at least 1"):
        AuditLog(database, **settings)


def test_a_connection_that_would_not_commit_is_refused() -> None:
    connection = sqlite3.connect(":memory:")
    with pytest.raises(ValueError, match="autocommit"):
        AuditLog(connection)
    connection.close()
