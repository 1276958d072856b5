"""The ledger once more, in a file of its own: what the projections should hold, to be compared with what they hold."""

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final, NamedTuple

import msgspec

from choir.memory.database import Database
from choir.memory.projection import LedgerEvent, Projection
from choir.memory.vault import Vault

# The tables of `projection.py` beside the records, with the columns that events decide.
TABLES: Final = {
    "thread": ("thread_id", "creator", "seq"),
    "co_author": ("address", "seq", "thread_id"),
    "citation": ("prior", "seq", "content_hash"),
    "voter": ("address", "seq", "spec_id"),
    "activity": ("address", "seq", "body"),
}
_BATCH: Final = 500
_SCHEMA: Final = """
CREATE TABLE ledger_message (
    content_hash TEXT PRIMARY KEY, thread_id TEXT NOT NULL, author TEXT NOT NULL, status TEXT NOT NULL,
    privacy TEXT NOT NULL, priors TEXT NOT NULL, is_erased INTEGER NOT NULL, created_at_ms INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE to_repair (content_hash TEXT NOT NULL, kind TEXT NOT NULL, PRIMARY KEY (content_hash, kind)) WITHOUT ROWID;
"""


class LedgerMessage(NamedTuple):
    """What the ledger's state says of a message."""

    content_hash: str
    thread_id: str
    author: str
    status: str
    privacy: str
    priors: tuple[str, ...]
    is_erased: bool
    created_at_ms: int


class Replay:
    """Files in the directory for temporary ones (TMPDIR), without any text; they go with `close`. Its size is that of
    the projections, whatever the memory's texts and vectors are."""

    def __init__(self, vault: Vault, first_seq: int) -> None:
        """``first_seq``: events up to there are not to be had. Raises ``MemoryUnusable``."""
        self._directory = TemporaryDirectory(prefix="choir-doctor-")
        self.path = Path(self._directory.name) / "replay.db"
        self._database = Database(self.path)
        self._projection = Projection(self._database, vault)
        self._marked: list[tuple[str, str]] = []
        self._database.write(_create_tables, is_durable=False)
        if first_seq:
            self._projection.skip_to(first_seq)

    def close(self) -> None:
        """Remove the files."""
        self._database.close()
        self._directory.cleanup()

    def keep_messages(self, messages: Iterable[LedgerMessage]) -> int:
        """Write down what the ledger's state says; returns how many messages there are."""
        rows = ((*message[:5], _encode(message.priors), *message[6:]) for message in messages)

        def insert(connection: sqlite3.Connection) -> int:
            return connection.executemany("INSERT INTO ledger_message VALUES (?, ?, ?, ?, ?, ?, ?, ?)", rows).rowcount

        return max(self._database.write(insert, is_durable=False), 0)

    def apply(self, events: Sequence[LedgerEvent]) -> None:
        """Apply the next events, as a node would."""
        self._projection.apply(events)

    def mark(self, content_hash: str, kind: str) -> None:
        """Remember that a message has a problem to be mended."""
        self._marked.append((content_hash, kind))
        if len(self._marked) >= _BATCH:
            self._write_marks()

    def marked(self, *kinds: str) -> Iterator[str]:
        """The messages marked with any of these kinds, each once, in order."""
        self._write_marks()
        marks, last = ",".join("?" * len(kinds)), ""
        while True:
            rows = (
                self._database.reader()
                .execute(
                    f"SELECT DISTINCT content_hash FROM to_repair WHERE kind IN ({marks})"  # noqa: S608  only marks
                    " AND content_hash > ? ORDER BY content_hash LIMIT ?",
                    (*kinds, last, _BATCH),
                )
                .fetchall()
            )
            yield from (row[0] for row in rows)
            if len(rows) < _BATCH:
                return
            last = rows[-1][0]

    def _write_marks(self) -> None:
        marked, self._marked = self._marked, []
        self._database.write(
            lambda db: db.executemany("INSERT OR IGNORE INTO to_repair VALUES (?, ?)", marked), is_durable=False
        )


def missing_rows(table: str) -> str:
    """The query for rows that a replay (attached as ``fresh``) has and the memory lacks."""
    return _rows_only_in("fresh", "main", table)


def surplus_rows(table: str) -> str:
    """The query for rows that the memory has and a replay lacks; its parameter is the event before the first one."""
    return f"{_rows_only_in('main', 'fresh', table)} AND one.seq > ?"


def _rows_only_in(schema: str, other: str, table: str) -> str:
    columns = TABLES[table]
    same = " AND ".join(f"two.{column} = one.{column}" for column in columns)
    shown = ", ".join(f"one.{column}" for column in columns)
    return (
        f"SELECT {shown} FROM {schema}.{table} AS one"  # noqa: S608  names are ours
        f" WHERE NOT EXISTS (SELECT 1 FROM {other}.{table} AS two WHERE {same})"
    )


def _create_tables(connection: sqlite3.Connection) -> None:
    for statement in _SCHEMA.split(";\n"):
        connection.execute(statement)


def _encode(priors: Sequence[str]) -> str:
    return msgspec.json.encode(priors).decode()
