"""BM25 keyword search in SQLite, with statistics of public messages only.

SQLite's own FTS5 ranks by word frequencies over every row, so a stranger's scores would tell which words
private messages hold (memory.md, Privacy); here they come from public messages alone. The postings are
packed arrays, so that long queries stay a few milliseconds (FTS5's bm25() costs about 2 µs per matching
row).

Terms are stored as keyed hashes: the words of a sealed text do not stand in clear beside it. How many words
a message has, and which hashes it shares with others, does show.
"""

import math
import sqlite3
from collections import Counter
from collections.abc import Iterable, Sequence
from hashlib import blake2b

import msgspec
import numpy as np
from numpy.typing import NDArray

from choir.memory.keyword_filter import readable_ids, readable_of
from choir.memory.postings import Postings, Row
from choir.memory.terms import term_counts, text_terms
from choir.memory.vector_index import ENCRYPTED, PUBLIC, ScoredId, SearchFilter

Scores = NDArray[np.float64]

K1, B = 1.2, 0.75  # BM25 as published (Robertson and Zaragoza 2009), as in FTS5
QUERY_TERMS = 64  # the rarest of the query's public words count
LOOKED_UP_TERMS = 1_024
POSTINGS_BUDGET = 100_000  # per query: frequent words are left out once rarer ones have filled it
FIRST_CHUNK = 256
TERM_BYTES = 16

SCHEMA = """
CREATE TABLE IF NOT EXISTS keyword_points (
    point_id INTEGER PRIMARY KEY, thread_id TEXT NOT NULL, author TEXT NOT NULL,
    created_at_ms INTEGER NOT NULL, privacy TEXT NOT NULL, length INTEGER NOT NULL, terms BLOB NOT NULL);
CREATE INDEX IF NOT EXISTS keyword_points_by_thread ON keyword_points (thread_id);
CREATE INDEX IF NOT EXISTS keyword_points_by_author ON keyword_points (author);
CREATE INDEX IF NOT EXISTS keyword_points_by_time ON keyword_points (created_at_ms);
CREATE TABLE IF NOT EXISTS keyword_terms (
    term_id INTEGER PRIMARY KEY, term BLOB NOT NULL UNIQUE,
    messages INTEGER NOT NULL, public_messages INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS keyword_postings (slot INTEGER PRIMARY KEY, data BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS keyword_totals (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    public_messages INTEGER NOT NULL, public_length INTEGER NOT NULL);
INSERT OR IGNORE INTO keyword_totals VALUES (1, 0, 0);
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

    def __init__(self, connection: sqlite3.Connection, term_key: bytes) -> None:
        """``term_key``: 16 to 64 secret bytes, the same for as long as the tables live."""
        self._connection = connection
        self._term_key = term_key
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
        counts = {point_id: self._hashed_counts(entry.text) for point_id, entry in batch.items()}
        term_ids = self._postings.intern({term for counted in counts.values() for term in counted})
        tally = _Tally()
        rows: list[Row] = []
        for point_id, counted in counts.items():
            length = counted.total()
            self._insert_point(batch[point_id], length, [term_ids[term] for term in counted])
            tally.add(batch[point_id].privacy, length, [term_ids[term] for term in counted], +1)
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
                tally.add(privacy, length, term_ids, -1)
                tally.add(level, length, term_ids, +1)
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
                tally.add(privacy, length, term_ids, -1)
                self._connection.execute("DELETE FROM keyword_points WHERE point_id = ?", (point_id,))
        self._apply(tally)
        self._postings.forget_unused(tally.messages)

    def count(self) -> int:
        return int(self._connection.execute("SELECT count(*) FROM keyword_points").fetchone()[0])

    def search(self, query: str, search_filter: SearchFilter, k: int) -> list[ScoredId]:
        """At most k (id, BM25 score > 0), best first, equal ones by id.

        A query without known words finds nothing.
        """
        return self.best(self.scores(query), search_filter, k)

    def best(self, totals: Scores, search_filter: SearchFilter, k: int) -> list[ScoredId]:
        """The k best of `scores` that the filter admits."""
        if k <= 0 or search_filter.finds_nothing:
            return []
        if not search_filter.is_narrow:
            first = _best(totals, max(FIRST_CHUNK, 2 * k))
            readable = readable_of(self._connection, search_filter, [point_id for point_id, _ in first])
            found = [hit for hit in first if hit[0] in readable]
            if len(found) >= k or len(first) == np.count_nonzero(totals):
                return found[:k]
        ids = readable_ids(self._connection, search_filter)
        ids = ids[ids < len(totals)]  # others were added after the scores were taken
        admitted = np.zeros_like(totals)
        admitted[ids] = totals[ids]
        return _best(admitted, k)[:k]

    def scores(self, query: str) -> Scores:
        """The score of every message id, rounded to 6 places; 0 for those without a word of the query."""
        messages, mean_length = self._public_totals()
        totals = np.zeros(self._end_id())
        for term_id, weight in self._query_terms(query, messages):
            postings = self._postings.read(term_id)
            postings = postings[postings["point_id"] < len(totals)]  # others came since
            times = postings["times"].astype(np.float32)
            damping = postings["length"] * np.float32(K1 * B / mean_length) + np.float32(K1 * (1 - B))
            totals[postings["point_id"]] += np.float32(weight * (K1 + 1)) * times / (times + damping)
        return totals.round(6)

    def _query_terms(self, query: str, messages: int) -> list[tuple[int, float]]:
        """(term id, weight) of the query's known words, the rarest first while they fit the budget."""
        words = {self._hashed(word): word for word in list(dict.fromkeys(text_terms(query)))[:LOOKED_UP_TERMS]}
        rows = self._postings.look_up(words)
        # By public frequency: what is left out tells nothing private.
        rows.sort(key=lambda row: (row[3], words[row[1]]))
        # Words of no public message take no place from others: a stranger could tell by what is then missing.
        kept = [(term_id, _weight(messages, 0)) for term_id, _, _, public in rows if not public]
        used = 0
        for place, (term_id, _, _, public) in enumerate([row for row in rows if row[3]][:QUERY_TERMS]):
            used += public
            if place and used > POSTINGS_BUDGET:
                break
            kept.append((term_id, _weight(messages, public)))
        return kept

    def _hashed(self, term: str) -> bytes:
        return blake2b(term.encode(), digest_size=TERM_BYTES, key=self._term_key).digest()

    def _hashed_counts(self, text: str) -> Counter[bytes]:
        return Counter({self._hashed(term): times for term, times in term_counts(text).items()})

    def _end_id(self) -> int:
        (last,) = self._connection.execute("SELECT max(point_id) FROM keyword_points").fetchone()
        return 0 if last is None else int(last) + 1

    def _public_totals(self) -> tuple[int, float]:
        messages, length = self._connection.execute(
            "SELECT public_messages, public_length FROM keyword_totals"
        ).fetchone()
        return messages, max(1.0, length / max(1, messages))

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
        self._connection.executemany(
            "UPDATE keyword_terms SET messages = messages + ?, public_messages = public_messages + ? WHERE term_id = ?",
            [(count, tally.public[term_id], term_id) for term_id, count in tally.messages.items()],
        )
        self._connection.execute(
            "UPDATE keyword_totals SET public_messages = public_messages + ?, public_length = public_length + ?",
            (tally.public_messages, tally.public_length),
        )


def _weight(messages: int, having: int) -> float:
    """How much a word counts that ``having`` of the public ``messages`` have."""
    return math.log(1 + (messages - having + 0.5) / (having + 0.5))


class _Tally:
    """What a batch of changes does to the counts of terms and of public messages."""

    def __init__(self) -> None:
        self.messages: Counter[int] = Counter()
        self.public: Counter[int] = Counter()
        self.public_messages = 0
        self.public_length = 0

    def add(self, privacy: str, length: int, term_ids: Sequence[int], sign: int) -> None:
        for term_id in term_ids:
            self.messages[term_id] += sign
        if privacy == PUBLIC:
            self.public_messages += sign
            self.public_length += sign * length
            for term_id in term_ids:
                self.public[term_id] += sign


def _best(totals: Scores, count: int) -> list[ScoredId]:
    """The `count` highest scores above 0, and those equal to the last; best first, equal ones by id."""
    ids = np.flatnonzero(totals)
    if len(ids) > count:
        ids = ids[totals[ids] >= np.partition(totals[ids], -count)[-count]]
    ids = ids[np.lexsort((ids, -totals[ids]))]
    return list(zip(ids.tolist(), totals[ids].tolist(), strict=True))
