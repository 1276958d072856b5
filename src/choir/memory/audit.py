"""Who looked, and who tried to: the audit log of design/memory.md, "Privacy", and the privacy metrics.

The caller records every refused access and every access to content that is not public
(``privacy.is_audited``), and shows a thread's log to its co-authors only.

Growth is bounded in three ways. The same viewer doing the same to the same message within an hour is one
entry with a count, so that a loop grows nothing (all signed-out viewers are one viewer). ``prune`` drops
what is older than the retention, and per thread all but the newest refused entries beyond a limit: refusals
can be provoked by strangers with fresh keys, and must never push out the record of who really read
something. Run it every hour.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from choir.memory.privacy import Right

COALESCE_MS: Final = 3_600_000
PAGE_LIMIT: Final = 200
_DAY_MS: Final = 86_400_000

_SCHEMA: Final = (
    """
    CREATE TABLE IF NOT EXISTS audit_log (
        id           INTEGER PRIMARY KEY AUTOINCREMENT,
        thread_id    TEXT NOT NULL,
        content_hash TEXT NOT NULL,
        viewer       TEXT NOT NULL,  -- '' when signed out: NULLs would not be equal in the unique index
        access_right TEXT NOT NULL,
        allowed      INTEGER NOT NULL,
        hour         INTEGER NOT NULL,
        at_ms        INTEGER NOT NULL,
        last_at_ms   INTEGER NOT NULL,
        times        INTEGER NOT NULL
    ) STRICT
    """,
    """
    CREATE UNIQUE INDEX IF NOT EXISTS audit_log_same
    ON audit_log (thread_id, content_hash, viewer, access_right, allowed, hour)
    """,
    "CREATE INDEX IF NOT EXISTS audit_log_thread ON audit_log (thread_id, id)",
    "CREATE INDEX IF NOT EXISTS audit_log_age ON audit_log (last_at_ms)",
    """
    CREATE TABLE IF NOT EXISTS privacy_counters (
        name  TEXT PRIMARY KEY,
        value INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID
    """,
)


class CursorError(ValueError):
    """The cursor is not one that ``AuditLog.list_entries`` gave."""


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One access, or ``times`` equal ones from ``at_ms`` to ``last_at_ms``; ``viewer`` None is signed out."""

    viewer: str | None
    content_hash: str
    thread_id: str
    right: Right
    at_ms: int
    allowed: bool
    last_at_ms: int
    times: int


@dataclass(frozen=True, slots=True)
class AuditPage:
    """Entries, newest first; ``next_cursor`` is None on the last page."""

    entries: list[AuditEntry]
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class PrivacyCounters:
    """Counts since the database was made, over all workers; they never fall."""

    unauthorised_attempts: int
    private_reads: int
    summaries_served: int


class AuditLog:
    """The log and the counters in one database.

    ``connection`` is in autocommit mode (``isolation_level=None``): each call is one transaction, or part of
    the caller's where one is open.
    """

    def __init__(
        self, connection: sqlite3.Connection, retention_days: int = 90, refused_per_thread: int = 10_000
    ) -> None:
        if connection.isolation_level is not None:
            raise ValueError("the connection must be in autocommit mode: isolation_level=None")
        if retention_days < 1 or refused_per_thread < 1:
            raise ValueError("retention_days and refused_per_thread must be at least 1")
        self._connection = connection
        self._retention_ms = retention_days * _DAY_MS
        self._refused_per_thread = refused_per_thread
        for statement in _SCHEMA:
            connection.execute(statement)

    def record(
        self, viewer: str | None, content_hash: str, thread_id: str, right: Right, at_ms: int, allowed: bool
    ) -> None:
        """Write one access; it counts as an unauthorised attempt (refused) or a private read (allowed)."""
        with self._together():
            self._connection.execute(
                "INSERT INTO audit_log (thread_id, content_hash, viewer, access_right, allowed, hour, at_ms,"
                " last_at_ms, times) VALUES (?, ?, ?, ?, ?, ?, ?, ?, 1) ON CONFLICT DO UPDATE"
                " SET times = times + 1, last_at_ms = max(last_at_ms, excluded.last_at_ms)",
                (
                    thread_id,
                    content_hash,
                    viewer or "",
                    right.value,
                    allowed,
                    at_ms // COALESCE_MS,
                    at_ms,
                    at_ms,
                ),
            )
            if not allowed:
                self._count("unauthorised_attempts", 1)
            elif right is Right.READ:
                self._count("private_reads", 1)

    def count_summaries(self, served: int) -> None:
        """Add ``served`` summaries (limited or minimal) to the counters."""
        self._count("summaries_served", served)

    def list_entries(self, thread_id: str, cursor: str | None = None, limit: int = 50) -> AuditPage:
        """A page of a thread's log, newest first, 1 to 200 entries long. Raises ``CursorError``."""
        limit = max(1, min(limit, PAGE_LIMIT))
        rows = self._connection.execute(
            "SELECT id, viewer, content_hash, thread_id, access_right, at_ms, allowed, last_at_ms, times"
            " FROM audit_log WHERE thread_id = ? AND id < ? ORDER BY id DESC LIMIT ?",
            (thread_id, _parse_cursor(cursor), limit + 1),
        ).fetchall()
        entries = [_read_entry(row) for row in rows[:limit]]
        return AuditPage(entries, str(rows[limit - 1][0]) if len(rows) > limit else None)

    def get_counters(self) -> PrivacyCounters:
        """The privacy metrics."""
        counts = dict(self._connection.execute("SELECT name, value FROM privacy_counters").fetchall())
        return PrivacyCounters(
            unauthorised_attempts=counts.get("unauthorised_attempts", 0),
            private_reads=counts.get("private_reads", 0),
            summaries_served=counts.get("summaries_served", 0),
        )

    def prune(self, now_ms: int) -> int:
        """Drop what the growth policy drops; how many entries went."""
        with self._together():
            aged = self._connection.execute(
                "DELETE FROM audit_log WHERE last_at_ms < ?", (now_ms - self._retention_ms,)
            ).rowcount
            crowded = self._connection.execute(
                "DELETE FROM audit_log WHERE id IN (SELECT id FROM (SELECT id, row_number() OVER"
                " (PARTITION BY thread_id ORDER BY id DESC) AS place FROM audit_log WHERE NOT allowed)"
                " WHERE place > ?)",
                (self._refused_per_thread,),
            ).rowcount
        return aged + crowded

    def _count(self, name: str, times: int) -> None:
        self._connection.execute(
            "INSERT INTO privacy_counters VALUES (?, ?) ON CONFLICT DO UPDATE SET value = value + excluded.value",
            (name, times),
        )

    @contextmanager
    def _together(self) -> Iterator[None]:
        # A savepoint is a transaction of its own, or a part of the caller's.
        self._connection.execute("SAVEPOINT audit")
        try:
            yield
        except BaseException:
            self._connection.execute("ROLLBACK TO audit")
            self._connection.execute("RELEASE audit")
            raise
        self._connection.execute("RELEASE audit")


def _parse_cursor(cursor: str | None) -> int:
    if cursor is None:
        return 2**63 - 1
    if not (cursor.isascii() and cursor.isdecimal() and len(cursor) <= 18):
        raise CursorError("the cursor is not one that this log gave")
    return int(cursor)


def _read_entry(row: tuple[int, str, str, str, str, int, int, int, int]) -> AuditEntry:
    _, viewer, content_hash, thread_id, right, at_ms, allowed, last_at_ms, times = row
    return AuditEntry(viewer or None, content_hash, thread_id, Right(right), at_ms, bool(allowed), last_at_ms, times)
