"""The memory's file: content records (the source of truth for text) and projections of ledger events (rebuildable).

Content is written with ``synchronous=FULL`` before its transaction is submitted. Projections are written without
waiting for the disk: after a power cut they resume from their own last sequence number.
"""

import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, Self, TypeVar

FORMAT: Final = 1
_SCHEMA: Final = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value) WITHOUT ROWID;
CREATE TABLE record (
    id INTEGER PRIMARY KEY, content_hash TEXT NOT NULL UNIQUE, thread_id TEXT NOT NULL, author TEXT NOT NULL,
    salt TEXT, text TEXT, sealed BLOB, characters INTEGER NOT NULL DEFAULT 0, received_at_ms INTEGER NOT NULL,
    status TEXT NOT NULL, kind TEXT, privacy TEXT, priors TEXT NOT NULL DEFAULT '[]',
    is_erased INTEGER NOT NULL DEFAULT 0, created_at_ms INTEGER, tx_hash TEXT, seq INTEGER, spec TEXT,
    summary TEXT, embedding BLOB, embedder TEXT, coherence REAL, resonance REAL, to_index INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX record_to_index ON record (id) WHERE to_index != 0;
CREATE TABLE citation (
    prior TEXT NOT NULL, seq INTEGER NOT NULL, content_hash TEXT NOT NULL,
    resonance REAL, phase REAL, entanglement REAL, PRIMARY KEY (prior, seq)
) WITHOUT ROWID;
CREATE INDEX citation_by_message ON citation (content_hash);
CREATE TABLE centroid (
    thread_id TEXT PRIMARY KEY, embedder TEXT NOT NULL, total BLOB NOT NULL, messages INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX record_by_thread ON record (thread_id, seq) WHERE seq IS NOT NULL;
CREATE INDEX record_by_author ON record (author, seq) WHERE seq IS NOT NULL;
CREATE INDEX record_spec ON record (seq) WHERE kind = 'spec';
CREATE INDEX record_pending ON record (received_at_ms) WHERE status = 'pending';
CREATE TABLE thread (thread_id TEXT PRIMARY KEY, creator TEXT NOT NULL, seq INTEGER NOT NULL) WITHOUT ROWID;
CREATE INDEX thread_by_seq ON thread (seq);
CREATE TABLE co_author (
    address TEXT NOT NULL, seq INTEGER NOT NULL, thread_id TEXT NOT NULL, PRIMARY KEY (address, seq)
) WITHOUT ROWID;
CREATE INDEX co_author_by_thread ON co_author (thread_id);
CREATE TABLE voter (
    address TEXT NOT NULL, seq INTEGER NOT NULL, spec_id TEXT NOT NULL, PRIMARY KEY (address, seq)
) WITHOUT ROWID;
CREATE TABLE activity (
    address TEXT NOT NULL, seq INTEGER NOT NULL, body TEXT NOT NULL, PRIMARY KEY (address, seq)
) WITHOUT ROWID;
INSERT INTO meta VALUES ('format', 1), ('last_seq', 0);
"""

_BUSY_MS: Final = 5_000
_FORGETTING_WAIT_MS: Final = 200

T = TypeVar("T")


class MemoryUnusable(RuntimeError):
    """The memory's file cannot be used; the message says what to do."""


class _ReadCursor(sqlite3.Cursor):
    """Holds its connection open for as long as SQLite is at work on it."""

    connection: "_Reader"

    def execute(self, sql: str, parameters: Any = (), /) -> Self:
        with self.connection.in_use:
            return super().execute(sql, parameters)

    def fetchone(self) -> Any:
        with self.connection.in_use:
            return super().fetchone()

    def fetchall(self) -> list[Any]:
        with self.connection.in_use:
            return super().fetchall()

    def __next__(self) -> Any:
        with self.connection.in_use:
            return super().__next__()


class _Reader(sqlite3.Connection):
    """A reading connection that another thread may close: reading on is an error then, where it would crash."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.in_use = threading.Lock()

    def execute(self, sql: str, parameters: Any = (), /) -> sqlite3.Cursor:
        return self.cursor(_ReadCursor).execute(sql, parameters)

    def close(self) -> None:
        with self.in_use:
            super().close()


class Database:
    """One writing connection, guarded by a lock, and one reading connection per thread."""

    def __init__(self, path: Path) -> None:
        """Opens or makes the file, for its owner only. Raises ``MemoryUnusable``."""
        self._path = path
        self._lock = threading.Lock()
        self._must_forget_log = False
        self._readers = threading.local()
        self._open_readers: list[sqlite3.Connection] = []
        self._is_closed = False
        self._opening = threading.Lock()
        try:
            path.touch(mode=0o600)
            self._writer = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        except (OSError, sqlite3.Error) as error:
            raise MemoryUnusable(f"{path} cannot be opened ({error}): check its rights") from error
        try:
            self._prepare()
        except sqlite3.Error as error:
            self._writer.close()
            raise MemoryUnusable(
                f"{path} cannot be used ({error}): free disk space, or restore the data directory from a backup"
            ) from error
        except MemoryUnusable:
            self._writer.close()
            raise

    def write(self, work: Callable[[sqlite3.Connection], T], *, is_durable: bool) -> T:
        """Run ``work`` in one transaction; durable ones survive a power cut once this returns."""
        with self._lock:
            self._writer.execute(f"PRAGMA synchronous = {'FULL' if is_durable else 'NORMAL'}")
            self._writer.execute("BEGIN IMMEDIATE")
            try:
                result = work(self._writer)
                self._writer.execute("COMMIT")
            except BaseException:
                if self._writer.in_transaction:
                    self._writer.execute("ROLLBACK")
                raise
            if self._must_forget_log:
                self._try_to_forget_log(wait_ms=0)
            return result

    def forget_log(self) -> None:
        """Move the write-ahead log into the file and empty it, so that erased content is in neither. While somebody
        reads an older state this cannot be: then it is tried again after every write, and at the next opening."""
        with self._lock:
            self._try_to_forget_log(wait_ms=_FORGETTING_WAIT_MS)

    def _try_to_forget_log(self, wait_ms: int) -> None:
        self._writer.execute(f"PRAGMA busy_timeout = {wait_ms}")
        (is_busy, *_) = self._writer.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        self._writer.execute(f"PRAGMA busy_timeout = {_BUSY_MS}")
        self._must_forget_log = bool(is_busy)

    def reader(self) -> sqlite3.Connection:
        """This thread's reading connection. Raises ``sqlite3.ProgrammingError`` once the database is closed."""
        connection: sqlite3.Connection | None = getattr(self._readers, "connection", None)
        if connection is None:
            connection = self._open_reader()
            self._readers.connection = connection
        return connection

    def _open_reader(self) -> sqlite3.Connection:
        with self._opening:
            if self._is_closed:
                raise sqlite3.ProgrammingError("Cannot operate on a closed database.")
            connection = sqlite3.connect(self._path, isolation_level=None, check_same_thread=False, factory=_Reader)
            connection.row_factory = sqlite3.Row
            connection.execute(f"PRAGMA busy_timeout = {_BUSY_MS}")
            connection.execute("PRAGMA query_only = 1")
            self._open_readers.append(connection)
            return connection

    def close(self) -> None:
        """Close every connection; a thread that still reads gets ``sqlite3.ProgrammingError`` at its next row."""
        with self._opening:  # whoever comes later opens none
            self._is_closed = True
        for reader in self._open_readers:
            reader.close()
        with self._lock:  # a write may still run on its thread, though nobody waits for it any more
            self._writer.close()

    def _prepare(self) -> None:
        self._writer.execute(f"PRAGMA busy_timeout = {_BUSY_MS}")
        self._writer.execute("PRAGMA journal_mode = WAL")
        # A node that was killed may have left in the log what it had just erased.
        self._try_to_forget_log(_FORGETTING_WAIT_MS)
        # What is erased or sealed must not stay behind in free pages.
        self._writer.execute("PRAGMA secure_delete = ON")
        # 32 MiB of log between checkpoints: an import rewrites the same pages of the index again and again.
        self._writer.execute("PRAGMA wal_autocheckpoint = 8192")
        if not self._writer.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone():
            self._writer.executescript(f"BEGIN; {_SCHEMA} COMMIT;")
        row = self._writer.execute("SELECT value FROM meta WHERE key = 'format'").fetchone()
        if row is None:
            raise MemoryUnusable(f"{self._path} is not Choir's memory: move it away or choose another data directory")
        found = row[0]
        if found > FORMAT:
            raise MemoryUnusable(
                f"memory.db has format {found}, this release knows up to {FORMAT}: install the newer release of Choir"
            )
