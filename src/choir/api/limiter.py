"""How often one caller may do something: the generic cell rate algorithm over one table, so that workers share it."""

import sqlite3
from typing import Final

from choir.ledger.errors import Code, Rejected

_HOUR_MS: Final = 3_600_000
_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS rate_limit (caller TEXT NOT NULL, action TEXT NOT NULL, arrival_ms INTEGER NOT NULL,
    PRIMARY KEY (caller, action)) WITHOUT ROWID
"""


class Limiter:
    """A token bucket per caller and action; ``per_hour`` tokens that refill evenly. The connection is in autocommit:
    `AccessStore.run` makes the transaction that keeps other processes from taking the same token."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        connection.execute(_SCHEMA)

    def use(self, caller: str, action: str, per_hour: int, now_ms: int) -> None:
        """Take one token. Rejects with TooManyRequests, saying when the next one is there."""
        interval_ms = _HOUR_MS / per_hour
        room_ms = interval_ms * (per_hour - 1)
        row = self._connection.execute(
            "SELECT arrival_ms FROM rate_limit WHERE caller = ? AND action = ?", (caller, action)
        ).fetchone()
        arrival_ms = max(now_ms, row[0] if row else now_ms)
        wait_ms = arrival_ms - now_ms - room_ms
        if wait_ms > 0:
            raise Rejected(
                Code.TooManyRequests, f"The limit is {per_hour} an hour.", retry_after_ms=max(1, int(wait_ms))
            )
        self._connection.execute(
            "INSERT OR REPLACE INTO rate_limit VALUES (?, ?, ?)", (caller, action, int(arrival_ms + interval_ms))
        )

    def prune(self, now_ms: int) -> int:
        """Forget full buckets; returns how many."""
        return self._connection.execute("DELETE FROM rate_limit WHERE arrival_ms <= ?", (now_ms,)).rowcount
