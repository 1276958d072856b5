"""``coherence.db``: the epochs that this node has measured, and what the next one goes on from.

Observations of the node, no part of the ledger: whoever deletes the file begins to observe anew.
"""

import asyncio
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Final, TypeVar

import msgspec

from choir.coherence.epoch import CoherenceState
from choir.coherence.records import EpochRecord
from choir.node.data_dir import DataDirError

EPOCHS_KEPT: Final = 10_000
_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS epoch (number INTEGER PRIMARY KEY, body BLOB NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS progress (key TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT, WITHOUT ROWID;
"""
_epoch_decoder = msgspec.json.Decoder(EpochRecord)
_state_decoder = msgspec.json.Decoder(CoherenceState)
T = TypeVar("T")


class CoherenceStore:
    """The file, used from one thread of its own: every method may be awaited on the event loop. All of them raise
    ``sqlite3.Error`` where it cannot be read or written."""

    def __init__(self, path: Path) -> None:
        """Opens or makes the file, for its owner only. Raises ``DataDirError``."""
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="choir-coherence")
        try:
            path.touch(mode=0o600)
            self._connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
            try:
                self._connection.execute("PRAGMA journal_mode = WAL")
                # After a power cut the last epoch may be missing; it is measured again if it is still the last one.
                self._connection.execute("PRAGMA synchronous = NORMAL")
                self._connection.execute("PRAGMA busy_timeout = 5000")
                self._connection.executescript(_SCHEMA)
            except sqlite3.Error:
                self._connection.close()
                raise
        except (OSError, sqlite3.Error) as error:
            raise DataDirError(
                f"{path} cannot be used ({error}): free disk space, or move it away; it holds measured epochs only"
            ) from error

    def close(self) -> None:
        self._thread.shutdown(wait=True)
        self._connection.close()

    async def state(self) -> CoherenceState | None:
        """What the next epoch goes on from; None before the first one. Raises ``msgspec.DecodeError`` for bytes that
        this release does not know."""
        found = await self._run(partial(self._progress, "state"))
        return None if found is None else _state_decoder.decode(found)

    async def last_seq(self) -> int | None:
        """The event up to which the ledger was followed; None in a new file."""
        found = await self._run(partial(self._progress, "last_seq"))
        return None if found is None else int(found)

    async def begin(self, seq: int) -> None:
        """Follow the ledger from event ``seq`` on."""
        await self._run(partial(self._put, "last_seq", b"%d" % seq))

    async def keep(self, record: EpochRecord, state: CoherenceState, seq: int) -> None:
        """Keep a measured epoch, and go on from there after event ``seq``; the oldest beyond `EPOCHS_KEPT` go."""
        await self._run(partial(self._keep, record, state, seq))

    async def page(self, before_number: int, limit: int) -> list[EpochRecord]:
        """Measured epochs below a number, newest first."""
        return await self._run(partial(self._page, before_number, limit))

    async def _run(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)

    def _progress(self, key: str) -> bytes | None:
        row = self._connection.execute("SELECT value FROM progress WHERE key = ?", (key,)).fetchone()
        return None if row is None else bytes(row[0])

    def _put(self, key: str, value: bytes) -> None:
        self._connection.execute("INSERT OR REPLACE INTO progress VALUES (?, ?)", (key, value))

    def _keep(self, record: EpochRecord, state: CoherenceState, seq: int) -> None:
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            self._connection.execute(
                "INSERT OR REPLACE INTO epoch VALUES (?, ?)", (record.number, msgspec.json.encode(record))
            )
            self._connection.execute(
                "DELETE FROM epoch WHERE number <= (SELECT number FROM epoch ORDER BY number DESC LIMIT 1 OFFSET ?)",
                (EPOCHS_KEPT,),
            )
            self._put("state", msgspec.json.encode(state))
            self._put("last_seq", b"%d" % seq)
            self._connection.execute("COMMIT")
        except BaseException:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            raise

    def _page(self, before_number: int, limit: int) -> list[EpochRecord]:
        rows = self._connection.execute(
            "SELECT body FROM epoch WHERE number < ? ORDER BY number DESC LIMIT ?", (before_number, limit)
        )
        return [_epoch_decoder.decode(row[0]) for row in rows]
