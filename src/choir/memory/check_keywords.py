"""The keyword index against the texts: each message's words and postings, and the statistics over all of them."""

import sqlite3
from collections.abc import Iterator
from functools import lru_cache
from itertools import groupby
from typing import Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from choir.memory.keyword import KeywordEntry, KeywordIndex, hashed_term
from choir.memory.keyword_changes import KeywordChanges
from choir.memory.postings import BLOCK_BITS, BLOCK_IDS, MAXIMUM_POINT_ID, POSTING
from choir.memory.terms import term_counts
from choir.memory.vector_index import PUBLIC

# Blocks have at most 8 KiB: messages that follow each other share those of frequent words.
_BLOCKS_KEPT: Final = 8_192
_TERMS_KEPT: Final = 65_536
_NOBODY, _PUBLIC, _OTHER = 0, 1, 2
_MOST: Final = 65_535  # that a posting counts


class KeywordProblem(msgspec.Struct, frozen=True):
    """``kind`` is not_indexed or keywords_differ."""

    kind: str
    detail: str


class KeywordCheck:
    """Reads with the given connection. Messages are best asked for by ascending id."""

    def __init__(self, connection: sqlite3.Connection, term_key: bytes) -> None:
        self._connection = connection
        self._term_key = term_key
        self._term_id = lru_cache(_TERMS_KEPT)(self._look_up)
        self._block = lru_cache(_BLOCKS_KEPT)(self._read_block)
        # No node has indexed anything yet.
        self.is_empty = not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'keyword_points'").fetchone()

    def has(self, point_id: int) -> bool:
        """Whether the index holds a message."""
        if self.is_empty:
            return False
        found = self._connection.execute("SELECT 1 FROM keyword_points WHERE point_id = ?", (point_id,)).fetchone()
        return found is not None

    def find_problem(self, entry: KeywordEntry) -> KeywordProblem | None:
        """What is wrong with a message that should be found as ``entry`` says."""
        point = None
        if not self.is_empty:
            point = self._connection.execute(
                "SELECT thread_id, author, created_at_ms, privacy, length, terms FROM keyword_points"
                " WHERE point_id = ?",
                (entry.point_id,),
            ).fetchone()
        if point is None:
            return KeywordProblem("not_indexed", "the keyword index has it as nothing")
        if point["privacy"] != entry.privacy:
            return KeywordProblem("not_indexed", f"the keyword index has it as {point['privacy']}")
        if tuple(point)[:3] != (entry.thread_id, entry.author, entry.created_at_ms):
            return KeywordProblem("keywords_differ", "the keyword index has another thread, author or time")
        if not self._has_words(entry, point["length"], point["terms"]):
            return KeywordProblem("keywords_differ", "the keyword index has other words")
        return None

    def _has_words(self, entry: KeywordEntry, length: object, terms: object) -> bool:
        counts = term_counts(entry.text)
        total = counts.total()
        if length != total or not isinstance(terms, bytes) or len(terms) != 4 * len(counts):
            return False
        expected = {self._term_id(hashed_term(term, self._term_key)): times for term, times in counts.items()}
        if set(np.frombuffer(terms, dtype="<u4").tolist()) != set(expected):
            return False
        block = entry.point_id // BLOCK_IDS
        for term_id, times in expected.items():
            postings = self._block((term_id << BLOCK_BITS) + block)
            found = postings[postings["point_id"] == entry.point_id].tolist()
            if found != [(entry.point_id, min(total, _MOST), min(times, _MOST))]:
                return False
        return True

    def find_statistics_problems(self) -> Iterator[str]:
        """What the tables say of themselves that is not so. Memory: a byte for each message."""
        if self.is_empty:
            return
        (newest,) = self._connection.execute("SELECT coalesce(max(point_id), 0) FROM keyword_points").fetchone()
        if not 0 <= newest <= MAXIMUM_POINT_ID:
            yield f"the keyword index has an id that does not fit it: {newest}"
            return
        levels = np.zeros(newest + 1, dtype=np.uint8)
        messages, length, public, words = 0, 0, 0, 0
        rows = self._connection.execute("SELECT point_id, privacy, length, length(terms) FROM keyword_points")
        for point_id, privacy, point_length, term_bytes in rows:
            levels[point_id] = _PUBLIC if privacy == PUBLIC else _OTHER
            words += term_bytes // 4
            messages += 1
            if privacy == PUBLIC:
                public, length = public + 1, length + point_length
        totals = self._connection.execute("SELECT public_messages, public_length FROM keyword_totals").fetchall()
        if [tuple(row) for row in totals] != [(public, length)]:
            yield "the totals over public messages are others"
        yield from self._find_term_problems(levels, words)
        orphans = self._connection.execute(
            "SELECT count(*) FROM keyword_points WHERE NOT EXISTS (SELECT 1 FROM record WHERE record.id = point_id)"
        ).fetchone()[0]
        if orphans:
            yield f"{orphans} of {messages} messages are of no record"

    def _find_term_problems(self, levels: NDArray[np.uint8], words: int) -> Iterator[str]:
        terms, postings, differing = 0, 0, 0
        rows = self._connection.execute("SELECT slot, data FROM keyword_postings ORDER BY slot")
        for term_id, blocks in groupby(rows, key=lambda row: row[0] >> BLOCK_BITS):
            ids = _point_ids([(slot, data) for slot, data in blocks])
            row = self._connection.execute(
                "SELECT messages, public_messages FROM keyword_terms WHERE term_id = ?", (term_id,)
            ).fetchone()
            terms += 1
            if ids is None or row is None or int(ids.max(initial=0)) >= len(levels):
                differing += 1
                continue
            postings += len(ids)
            of_them = levels[ids]
            expected = (len(ids), int((of_them == _PUBLIC).sum()))
            if tuple(row) != expected or (of_them == _NOBODY).any() or len(np.unique(ids)) != len(ids):
                differing += 1
        known = self._connection.execute("SELECT count(*) FROM keyword_terms").fetchone()[0]
        if differing:
            yield f"the postings of {differing} words are not as counted"
        elif terms != known or postings != words:
            yield "words or postings are missing"

    def _look_up(self, term: bytes) -> int:
        row = self._connection.execute("SELECT term_id FROM keyword_terms WHERE term = ?", (term,)).fetchone()
        return -1 if row is None else int(row[0])

    def _read_block(self, slot: int) -> NDArray[np.void]:
        row = self._connection.execute("SELECT data FROM keyword_postings WHERE slot = ?", (slot,)).fetchone()
        if row is None or not isinstance(row[0], bytes) or len(row[0]) % POSTING.itemsize:
            return np.empty(0, dtype=POSTING)
        return np.frombuffer(row[0], dtype=POSTING)


def rebuild_keywords(connection: sqlite3.Connection, term_key: bytes, entries: Iterator[list[KeywordEntry]]) -> None:
    """Make the tables anew with ``entries`` and nothing else, in the caller's transaction."""
    index = KeywordIndex(connection, term_key, KeywordChanges())
    index.create_tables()
    for table in ("keyword_points", "keyword_terms", "keyword_postings", "keyword_totals"):
        connection.execute(f"DELETE FROM {table}")  # noqa: S608  names are ours
    index.create_tables()  # with its totals
    for batch in entries:
        index.add(batch)


def _point_ids(blocks: list[tuple[int, object]]) -> NDArray[np.uint32] | None:
    """The messages of a word; None where its bytes are no postings or stand in the wrong block."""
    parts: list[NDArray[np.uint32]] = []
    for slot, data in blocks:
        if not isinstance(data, bytes) or len(data) % POSTING.itemsize:
            return None
        ids = np.frombuffer(data, dtype=POSTING)["point_id"]
        if (ids // BLOCK_IDS != slot & ((1 << BLOCK_BITS) - 1)).any():
            return None
        parts.append(ids)
    return np.concatenate(parts)
