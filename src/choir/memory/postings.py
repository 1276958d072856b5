"""Which messages hold a term, and how often: packed arrays, a row per term and block of message ids."""

import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from choir.memory.courtesy import courteous

POSTING = np.dtype([("point_id", "<u4"), ("length", "<u2"), ("times", "<u2")])
BLOCK_IDS = 1_024  # a block of a frequent term fills about one page: adding a message rewrites few bytes
BLOCK_BITS = 24
MAXIMUM_POINT_ID = (1 << 28) - 1  # a query holds one number per id

Row = tuple[int, int, int, int]  # term id, point id, times in the message, words of the message


class Postings:
    """`slot` = term id · 2^24 + block, so that the blocks of a term lie side by side."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def intern(self, terms: Iterable[bytes]) -> dict[bytes, int]:
        """Ids of the (hashed) terms, new ones with no messages yet."""
        ordered = sorted(terms)
        self._connection.executemany(
            "INSERT INTO keyword_terms (term, messages, public_messages) VALUES (?, 0, 0) ON CONFLICT DO NOTHING",
            ((term,) for term in courteous(ordered)),
        )
        return {term: term_id for term_id, term, _, _ in self.look_up(ordered)}

    def look_up(self, terms: Iterable[bytes]) -> list[tuple[int, bytes, int, int]]:
        """(term id, hashed term, messages, public messages) of those that are known, in the order given."""
        return [row for term in courteous(terms) if (row := self.find(term))]

    def find(self, term: bytes) -> tuple[int, bytes, int, int] | None:
        """One of `look_up`."""
        found: tuple[int, bytes, int, int] | None = self._connection.execute(
            "SELECT term_id, term, messages, public_messages FROM keyword_terms WHERE term = ?", (term,)
        ).fetchone()
        return found

    def read(self, term_id: int) -> NDArray[np.void]:
        """All postings of a term, dtype POSTING."""
        first = term_id << BLOCK_BITS
        blocks = self._connection.execute(
            "SELECT data FROM keyword_postings WHERE slot BETWEEN ? AND ?",
            (first, first + (1 << BLOCK_BITS) - 1),
        )
        return np.frombuffer(b"".join(block for (block,) in blocks), dtype=POSTING)

    def insert(self, rows: Sequence[Row]) -> None:
        """Raises ValueError for a point id above MAXIMUM_POINT_ID."""
        by_slot: defaultdict[int, list[tuple[int, int, int]]] = defaultdict(list)
        for term_id, point_id, times, length in courteous(rows):
            by_slot[_slot(term_id, point_id)].append((point_id, min(length, 65_535), min(times, 65_535)))
        self._connection.executemany(
            # the leading CAST keeps the joined value a BLOB
            "INSERT INTO keyword_postings VALUES (?1, ?2)"
            " ON CONFLICT (slot) DO UPDATE SET data = CAST(data || excluded.data AS BLOB)",
            ((slot, np.array(by_slot[slot], dtype=POSTING).tobytes()) for slot in courteous(sorted(by_slot))),
        )

    def delete(self, point_id: int, term_ids: Sequence[int]) -> None:
        for term_id in courteous(term_ids):
            slot = _slot(term_id, point_id)
            (block,) = self._connection.execute("SELECT data FROM keyword_postings WHERE slot = ?", (slot,)).fetchone()
            postings = np.frombuffer(block, dtype=POSTING)
            rest = postings[postings["point_id"] != point_id]
            if len(rest):
                self._connection.execute("UPDATE keyword_postings SET data = ? WHERE slot = ?", (rest.tobytes(), slot))
            else:
                self._connection.execute("DELETE FROM keyword_postings WHERE slot = ?", (slot,))

    def forget_unused(self, term_ids: Iterable[int]) -> None:
        """Drop the words that no message holds any more."""
        self._connection.executemany(
            "DELETE FROM keyword_terms WHERE term_id = ? AND messages = 0",
            ((term_id,) for term_id in courteous(term_ids)),
        )


def _slot(term_id: int, point_id: int) -> int:
    if not 0 <= point_id <= MAXIMUM_POINT_ID:
        raise ValueError(f"point id {point_id} does not fit the keyword index (0…2^28 - 1)")
    return (term_id << BLOCK_BITS) + point_id // BLOCK_IDS
