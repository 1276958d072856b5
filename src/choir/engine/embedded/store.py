"""The embedded engine's file: blocks, receipts, events and state in one SQLite database, one commit a block.

WAL with ``synchronous=FULL``: when `commit_block` returns, the block survives a power cut. One connection per thread;
readers see the last committed block while the writer works.
"""

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final, NamedTuple

import msgspec
from msgspec import Struct

from choir.engine.protocol import CommittedBlock, EngineError, SequencedEvent
from choir.ledger.blocks import Receipt, SignedHeader
from choir.ledger.envelope import CheckedTransaction
from choir.ledger.genesis import Genesis, decode_genesis
from choir.ledger.state import Changes, State, decode_entry
from choir.primitives.canonical import canonical_struct
from choir.primitives.lthash import LtHash

FORMAT: Final = 1
_SCHEMA: Final = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE block (height INTEGER PRIMARY KEY, hash TEXT NOT NULL, signed_header BLOB NOT NULL);
CREATE TABLE tx (
    height INTEGER NOT NULL, position INTEGER NOT NULL, hash TEXT NOT NULL, raw BLOB NOT NULL, receipt BLOB NOT NULL,
    PRIMARY KEY (height, position)
) WITHOUT ROWID;
CREATE UNIQUE INDEX tx_by_hash ON tx (hash);
CREATE TABLE event (seq INTEGER PRIMARY KEY, body BLOB NOT NULL);
CREATE TABLE entry (key TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
"""

_event_decoder = msgspec.json.Decoder(SequencedEvent)
_receipt_decoder = msgspec.json.Decoder(Receipt)
_header_decoder = msgspec.json.Decoder(SignedHeader)


class StoredBlock(NamedTuple):
    """A block ready to be written."""

    signed_header: SignedHeader
    hash: str
    transactions: Sequence[CheckedTransaction]
    receipts: Sequence[Receipt]
    events: Sequence[SequencedEvent]
    changes: Changes


class Head(NamedTuple):
    """The newest block. ``signed_header`` is None before the first one (or right after a restored snapshot of
    genesis)."""

    height: int
    hash: str
    signed_header: SignedHeader | None


class Store:
    """One connection to the database. Use each instance from one thread."""

    def __init__(self, path: Path, *, is_writer: bool = False) -> None:
        """Raises ``EngineError`` where there is no database, or none may be made. What is made is its owner's only."""
        try:
            if is_writer:
                path.touch(mode=0o600)
            self._connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        except (OSError, sqlite3.Error) as error:
            raise EngineError(f"{path} cannot be opened ({error}): check its rights") from error
        try:
            self._configure(is_writer)
        except sqlite3.Error as error:
            self._connection.close()
            raise EngineError(
                f"{path} cannot be used ({error}): free disk space, or restore the data directory from a backup"
            ) from error

    def _configure(self, is_writer: bool) -> None:
        self._connection.execute("PRAGMA busy_timeout = 5000")
        self._connection.execute("PRAGMA synchronous = FULL")
        if is_writer:
            self._connection.execute("PRAGMA journal_mode = WAL")
            # 16 MiB of log between checkpoints: fewer stalls, still a short recovery.
            self._connection.execute("PRAGMA wal_autocheckpoint = 4096")
            self._connection.execute("PRAGMA cache_size = -65536")
        else:
            self._connection.execute("PRAGMA query_only = 1")

    def close(self) -> None:
        self._connection.close()

    # Making and opening

    def is_empty(self) -> bool:
        return not self._connection.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone()

    def initialise(
        self,
        genesis: Genesis,
        state: State,
        signed_header: SignedHeader | None,
        block_hash: str,
        last_seq: int = 0,
    ) -> None:
        """Write the first state: of genesis, or of a snapshot with the header that commits to it."""
        self._connection.execute("BEGIN IMMEDIATE")
        with self._connection:
            for statement in _SCHEMA.split(";"):
                self._connection.execute(statement)
            self._put_meta("format", str(FORMAT).encode())
            self._put_meta("genesis", canonical_struct(genesis))
            self._put_meta("commitment", state.commitment.accumulator())
            self._put_meta("first_seq", str(last_seq).encode())
            self._connection.executemany("INSERT INTO entry VALUES (?, ?)", state.items())
            if signed_header is not None:
                self._insert_header(signed_header, block_hash)
            self._connection.execute("COMMIT")

    def check_format(self) -> None:
        """Raises ``EngineError`` for a database of another program or a newer release."""
        try:
            found = int(self._meta("format"))
        except (sqlite3.OperationalError, ValueError, EngineError) as error:
            raise EngineError(
                "ledger.db is not a Choir ledger: move it away or choose another data directory"
            ) from error
        if found > FORMAT:
            raise EngineError(
                f"ledger.db has format {found}, this release knows up to {FORMAT}: install the newer release of Choir"
            )

    def genesis(self) -> Genesis:
        return decode_genesis(self._meta("genesis"))

    def load_state(self) -> State:
        """Read the whole state and check it against its own commitment. Raises ``EngineError`` when damaged."""
        rows = self._connection.execute("SELECT key, value FROM entry")
        try:
            state = State((key, decode_entry(key, value)) for key, value in rows)
        except (msgspec.DecodeError, KeyError, ValueError) as error:
            raise EngineError(f"ledger.db is damaged: a state entry cannot be read ({error})") from error
        if state.commitment != LtHash(self._meta("commitment")):
            raise EngineError("ledger.db is damaged: the state does not match its commitment")
        return state

    def entries(self, first_key: str, last_key: str, limit: int) -> list[tuple[str, Struct]]:
        """The first entries of the state from ``first_key`` to ``last_key``. Cost: what is read."""
        rows = self._connection.execute(
            "SELECT key, value FROM entry WHERE key BETWEEN ? AND ? ORDER BY key LIMIT ?", (first_key, last_key, limit)
        )
        return [(key, decode_entry(key, value)) for key, value in rows]

    # Blocks

    def head(self) -> Head:
        row = self._connection.execute(
            "SELECT height, hash, signed_header FROM block ORDER BY height DESC LIMIT 1"
        ).fetchone()
        if row is None:
            return Head(0, "", None)
        return Head(row[0], row[1], _header_decoder.decode(row[2]))

    def first_height(self) -> int:
        """The oldest block here: 1, or the one that a restored snapshot came with; 0 before the first block."""
        return int(self._connection.execute("SELECT coalesce(min(height), 0) FROM block").fetchone()[0])

    def last_seq(self) -> int:
        """The newest event's number; where no event is stored yet, the one the ledger began after."""
        newest = self._connection.execute("SELECT max(seq) FROM event").fetchone()[0]
        return int(self._meta("first_seq")) if newest is None else int(newest)

    def first_seq(self) -> int:
        """The event that the stored ones follow: 0, or where a restored snapshot left off."""
        return int(self._meta("first_seq"))

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """Inside, every read sees the same block, whatever a writer does meanwhile."""
        self._connection.execute("BEGIN")
        try:
            yield
        finally:
            if self._connection.in_transaction:
                # Nothing was written. Unlike a commit, this never fails, and so never hides why the reading ended.
                self._connection.execute("ROLLBACK")

    def commit_block(self, block: StoredBlock) -> None:
        """Write a block, its receipts, events and state changes, all or nothing, durably."""
        connection = self._connection
        connection.execute("BEGIN IMMEDIATE")
        try:
            self._insert_header(block.signed_header, block.hash)
            height = block.signed_header.header.height
            connection.executemany("INSERT INTO tx VALUES (?, ?, ?, ?, ?)", _tx_rows(height, block))
            connection.executemany(
                "INSERT INTO event VALUES (?, ?)", [(event.seq, msgspec.json.encode(event)) for event in block.events]
            )
            puts, deletes = _entry_rows(block.changes)
            connection.executemany(
                "INSERT INTO entry VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value", puts
            )
            connection.executemany("DELETE FROM entry WHERE key = ?", deletes)
            self._put_meta("commitment", block.changes.commitment.accumulator())
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise

    def signed_header(self, height: int) -> SignedHeader | None:
        row = self._connection.execute("SELECT signed_header FROM block WHERE height = ?", (height,)).fetchone()
        return None if row is None else _header_decoder.decode(row[0])

    def block(self, height: int) -> CommittedBlock | None:
        signed_header = self.signed_header(height)
        if signed_header is None:
            return None
        rows = self._connection.execute(
            "SELECT hash, receipt FROM tx WHERE height = ? ORDER BY position", (height,)
        ).fetchall()
        return CommittedBlock(
            signed_header, [row[0] for row in rows], [_receipt_decoder.decode(row[1]) for row in rows]
        )

    def raw_transactions(self, height: int) -> list[bytes]:
        """A block's transactions as they were ordered."""
        rows = self._connection.execute("SELECT raw FROM tx WHERE height = ? ORDER BY position", (height,))
        return [row[0] for row in rows]

    def transaction(self, tx_hash: str) -> tuple[bytes, Receipt] | None:
        """Canonical bytes and receipt."""
        row = self._connection.execute("SELECT raw, receipt FROM tx WHERE hash = ?", (tx_hash,)).fetchone()
        return None if row is None else (row[0], _receipt_decoder.decode(row[1]))

    def events(self, after_seq: int, limit: int) -> list[SequencedEvent]:
        rows = self._connection.execute("SELECT body FROM event WHERE seq > ? ORDER BY seq LIMIT ?", (after_seq, limit))
        return [_event_decoder.decode(row[0]) for row in rows]

    def structural_damage(self) -> str | None:
        """SQLite's own check of the file's structure: the first problem, or None. Cost: the whole file."""
        row = self._connection.execute("PRAGMA quick_check(1)").fetchone()
        return None if row[0] == "ok" else str(row[0])

    def _insert_header(self, signed_header: SignedHeader, block_hash: str) -> None:
        self._connection.execute(
            "INSERT INTO block VALUES (?, ?, ?)",
            (signed_header.header.height, block_hash, canonical_struct(signed_header)),
        )

    def _meta(self, key: str) -> bytes:
        row = self._connection.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
        if row is None:
            raise EngineError(f"ledger.db is damaged: it has no {key}")
        return bytes(row[0])

    def _put_meta(self, key: str, value: bytes) -> None:
        self._connection.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, value))


def _tx_rows(height: int, block: StoredBlock) -> Iterator[tuple[int, int, str, bytes, bytes]]:
    for position, (checked, receipt) in enumerate(zip(block.transactions, block.receipts, strict=True)):
        yield height, position, checked.hash, checked.raw, canonical_struct(receipt)


def _entry_rows(changes: Changes) -> tuple[Iterable[tuple[str, bytes]], Iterable[tuple[str]]]:
    # In key order, so that the B-tree is written front to back.
    encoded = sorted(changes.encoded.items())
    puts = [(key, value) for key, value in encoded if value is not None]
    deletes = [(key,) for key, value in encoded if value is None]
    return puts, deletes
