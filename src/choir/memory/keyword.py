"""The tables of BM25 keyword search, with statistics of public messages only; `keyword_search.py` reads them.

SQLite's own FTS5 ranks by word frequencies over every row, so a stranger's scores would tell which words
private messages hold (memory.md, Privacy); here they come from public messages alone. The postings are
packed arrays, so that long queries stay a few milliseconds (FTS5's bm25() costs about 2 µs per matching
row).

Terms are stored as keyed hashes: the words of a sealed text do not stand in clear beside it. How many words
a message has, and which hashes it shares with others, does show.
"""

import secrets
import sqlite3
from collections import Counter
from collections.abc import Iterable, Sequence
from hashlib import blake2b

import msgspec
import numpy as np

from choir.memory.courtesy import courteous
from choir.memory.keyword_changes import KeywordChanges
from choir.memory.postings import Postings, Row
from choir.memory.terms import term_counts
from choir.memory.vector_index import ENCRYPTED, PUBLIC

TERM_BYTES = 16

SCHEMA = """
CREATE TABLE IF NOT EXISTS keyword_points (
    point_id INTEGER PRIMARY KEY, thread_id TEXT NOT NULL, author TEXT NOT NULL,
    created_at_ms INTEGER NOT NULL, privacy TEXT NOT NULL, length INTEGER NOT NULL, terms BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS keyword_terms (
    term_id INTEGER PRIMARY KEY, term BLOB NOT NULL UNIQUE,
    messages INTEGER NOT NULL, public_messages INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS keyword_postings (slot INTEGER PRIMARY KEY, data BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS keyword_totals (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    public_messages INTEGER NOT NULL, public_length INTEGER NOT NULL);
INSERT OR IGNORE INTO keyword_totals VALUES (1, 0, 0);
CREATE TABLE IF NOT EXISTS keyword_state (one INTEGER PRIMARY KEY CHECK (one = 1), state INTEGER NOT NULL);
INSERT OR IGNORE INTO keyword_state VALUES (1, 0);
"""


class KeywordEntry(msgspec.Struct, frozen=True):
    point_id: int
    text: str
    thread_id: str
    author: str
    created_at_ms: int
    privacy: str


class KeywordIndex:
    """Works on the given connection and never begins, commits or closes: transactions belong to the caller.

    Writes can thus share the transaction that stores the record. Not for concurrent use of one connection.
    """

    def __init__(self, connection: sqlite3.Connection, term_key: bytes, changes: KeywordChanges) -> None:
        """``term_key``: 16 to 64 secret bytes, the same for as long as the tables live. ``changes`` tells
        `KeywordSearch` what is written here."""
        self._connection = connection
        self._term_key = term_key
        self._changes = changes
        self._postings = Postings(connection)

    def create_tables(self) -> None:
        for statement in SCHEMA.split(";\n"):
            self._connection.execute(statement)

    def add(self, entries: Iterable[KeywordEntry]) -> None:
        """Insert or replace. Raises ValueError for an encrypted message: its words are not ours to index."""
        batch = {entry.point_id: entry for entry in entries}
        if any(entry.privacy == ENCRYPTED for entry in batch.values()):
            raise ValueError("encrypted messages have no keywords")
        self.remove(list(batch))
        counts = {point_id: self._hashed_counts(entry.text) for point_id, entry in courteous(batch.items())}
        term_ids = self._postings.intern({term for counted in counts.values() for term in counted})
        tally = _Tally()
        rows: list[Row] = []
        for point_id, counted in courteous(counts.items()):
            length = counted.total()
            self._insert_point(batch[point_id], length, [term_ids[term] for term in counted])
            tally.add(point_id, batch[point_id].privacy, length, [term_ids[term] for term in counted], +1)
            rows += [(term_ids[term], point_id, times, length) for term, times in counted.items()]
        self._postings.insert(rows)
        self._apply(tally)

    def set_privacy(self, point_ids: Sequence[int], level: str) -> None:
        """Ids that are not there are passed over. `encrypted` removes the message's words."""
        if level == ENCRYPTED:
            return self.remove(point_ids)
        tally = _Tally()
        for point_id in point_ids:
            row = self._point(point_id)
            if row is not None:
                privacy, length, term_ids = row
                tally.add(point_id, privacy, length, term_ids, -1)
                tally.add(point_id, level, length, term_ids, +1)
                self._connection.execute("UPDATE keyword_points SET privacy = ? WHERE point_id = ?", (level, point_id))
        return self._apply(tally)

    def remove(self, point_ids: Sequence[int]) -> None:
        """Forget the messages and every word only they held. Ids that are not there are passed over."""
        tally = _Tally()
        for point_id in dict.fromkeys(point_ids):
            row = self._point(point_id)
            if row is not None:
                privacy, length, term_ids = row
                self._postings.delete(point_id, term_ids)
                tally.add(point_id, privacy, length, term_ids, -1)
                self._connection.execute("DELETE FROM keyword_points WHERE point_id = ?", (point_id,))
        self._apply(tally)
        self._postings.forget_unused(tally.messages)

    def count(self) -> int:
        return int(self._connection.execute("SELECT count(*) FROM keyword_points").fetchone()[0])

    def _hashed_counts(self, text: str) -> Counter[bytes]:
        return Counter({hashed_term(term, self._term_key): times for term, times in term_counts(text).items()})

    def _insert_point(self, entry: KeywordEntry, length: int, term_ids: Sequence[int]) -> None:
        packed = np.asarray(term_ids, dtype="<u4").tobytes()
        self._connection.execute(
            "INSERT INTO keyword_points VALUES (?, ?, ?, ?, ?, ?, ?)",
            (
                entry.point_id,
                entry.thread_id,
                entry.author,
                entry.created_at_ms,
                entry.privacy,
                length,
                packed,
            ),
        )

    def _point(self, point_id: int) -> tuple[str, int, list[int]] | None:
        row = self._connection.execute(
            "SELECT privacy, length, terms FROM keyword_points WHERE point_id = ?", (point_id,)
        ).fetchone()
        return row and (row[0], row[1], np.frombuffer(row[2], dtype="<u4").tolist())

    def _apply(self, tally: "_Tally") -> None:
        if not tally.point_ids:
            return
        self._connection.executemany(
            "UPDATE keyword_terms SET messages = messages + ?, public_messages = public_messages + ? WHERE term_id = ?",
            ((count, tally.public[term_id], term_id) for term_id, count in courteous(tally.messages.items())),
        )
        self._connection.execute(
            "UPDATE keyword_totals SET public_messages = public_messages + ?, public_length = public_length + ?",
            (tally.public_messages, tally.public_length),
        )
        (before,) = self._connection.execute("SELECT state FROM keyword_state").fetchone()
        after = secrets.randbits(62)
        self._changes.note(before, after, tally.point_ids, tally.messages)
        self._connection.execute("UPDATE keyword_state SET state = ?", (after,))


def hashed_term(term: str, term_key: bytes) -> bytes:
    """What stands for a word in the tables."""
    return blake2b(term.encode(), digest_size=TERM_BYTES, key=term_key).digest()


class _Tally:
    """What a batch of changes does to the counts of terms and of public messages."""

    def __init__(self) -> None:
        self.point_ids: set[int] = set()
        self.messages: Counter[int] = Counter()
        self.public: Counter[int] = Counter()
        self.public_messages = 0
        self.public_length = 0

    def add(self, point_id: int, privacy: str, length: int, term_ids: Sequence[int], sign: int) -> None:
        self.point_ids.add(point_id)
        for term_id in term_ids:
            self.messages[term_id] += sign
        if privacy == PUBLIC:
            self.public_messages += sign
            self.public_length += sign * length
            for term_id in term_ids:
                self.public[term_id] += sign
