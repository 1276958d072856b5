"""Who is signed in, who looked, and how often: one small database, used from one thread of its own."""

import asyncio
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from choir.api.limiter import Limiter
from choir.api.sessions import Sessions
from choir.memory.audit import AuditLog

T = TypeVar("T")


class AccessStore:
    """Sessions, audit log and limits. Reach them through `run`, which keeps the event loop free."""

    def __init__(self, path: Path, clock_ms: Callable[[], int], domain: str, chain_id: str) -> None:
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="choir-access")
        path.touch(mode=0o600)
        self._connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._connection.execute("PRAGMA journal_mode = WAL")
        # After a power cut the last moments of this file may be missing: people sign in again.
        self._connection.execute("PRAGMA synchronous = NORMAL")
        self._connection.execute("PRAGMA busy_timeout = 5000")
        self.sessions = Sessions(self._connection, clock_ms, domain, chain_id)
        self.audit = AuditLog(self._connection)
        self.limiter = Limiter(self._connection)

    async def run(self, work: Callable[[], T]) -> T:
        """Run ``work`` in one transaction on the store's thread."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._transact, work)

    def close(self) -> None:
        self._thread.shutdown(wait=True)
        self._connection.close()

    def _transact(self, work: Callable[[], T]) -> T:
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            result = work()
        except BaseException:
            self._connection.execute("ROLLBACK")
            raise
        self._connection.execute("COMMIT")
        return result
