"""Reading the keyword index: BM25 over arrays, with the filter inside.

What every search needs again stays in memory: the columns that the filter asks for, and the postings of words that
were searched for, up to a bound. Each search first asks the file which state it is in, in the same read transaction as
everything else, and drops what has changed since: what was erased or hidden is gone with the commit that hid it.
"""

import math
import sqlite3
from collections import OrderedDict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from choir.memory.courtesy import courteous
from choir.memory.filter_columns import FilterColumns, Rows
from choir.memory.keyword import hashed_term
from choir.memory.keyword_changes import KeywordChanges
from choir.memory.postings import Postings
from choir.memory.terms import text_terms
from choir.memory.vector_index import PLACES, ScoredId, Scores, SearchFilter, ranked

Ids = NDArray[np.int64]

K1, B = 1.2, 0.75  # BM25 as published (Robertson and Zaragoza 2009), as in FTS5
QUERY_TERMS = 64  # the rarest of the query's public words count
LOOKED_UP_TERMS = 1_024
POSTINGS_BUDGET = 100_000  # per query: frequent words are left out once rarer ones have filled it
POSTINGS_KEPT = 2_000_000  # in memory, 20 bytes each
_EQUAL: Final = 10.0**-PLACES
_SHARES_OF_BEST: Final = (0.5, 0.25)  # comparing all scores costs a tenth of putting them in order
_UNKNOWN: Final = -1


class _Statistics(NamedTuple):
    """Of public messages: how many there are, and how many words they have together."""

    messages: int
    length: int


class _Term:
    """A known word: its number, how many public messages hold it, and what it adds to the score of each message."""

    def __init__(self, term_id: int, public: int, postings: NDArray[np.void]) -> None:
        self.term_id = term_id
        self.public = public
        self.point_ids = postings["point_id"].astype(np.intp)  # as NumPy adds without converting
        self._times, self._lengths = postings["times"].copy(), postings["length"].copy()
        self._statistics: _Statistics | None = None
        self._scores = np.zeros(0)

    def __len__(self) -> int:
        return len(self.point_ids)

    def scores(self, statistics: _Statistics) -> Scores:
        """One for each of ``point_ids``. Computed once for as long as the public messages are the same."""
        if statistics != self._statistics:
            mean_length = statistics.length / statistics.messages if statistics.length else 1.0
            weight = np.float32(_weight(statistics.messages, self.public) * (K1 + 1))
            times = self._times.astype(np.float32)
            damping = self._lengths * np.float32(K1 * B / mean_length) + np.float32(K1 * (1 - B))
            self._scores = (weight * times / (times + damping)).astype(np.float64)
            self._statistics = statistics
        return self._scores


class KeywordSearch:
    """Searches on a connection of its own, which it only reads. Not for concurrent use."""

    def __init__(self, connection: sqlite3.Connection, term_key: bytes, changes: KeywordChanges) -> None:
        """``changes`` is the writer's."""
        self._connection = connection
        self._term_key = term_key
        self._changes = changes
        self._reader = Postings(connection)
        self._state = _UNKNOWN
        self._statistics = _Statistics(0, 0)
        self._columns = FilterColumns()
        self._end_id = 0
        self._terms: OrderedDict[bytes, _Term] = OrderedDict()
        self._hash_of: dict[int, bytes] = {}
        self._postings_held = 0

    def prepare(self) -> None:
        """Read what every search needs, so that the first does not wait for it."""
        with self._current():
            pass

    def search(self, query: str, search_filter: SearchFilter, k: int) -> list[ScoredId]:
        """At most k (id, BM25 score > 0), best first, equal ones by id.

        A query without known words finds nothing.
        """
        return self.best(self.scores(query, search_filter), search_filter, k)

    def scores(self, query: str, search_filter: SearchFilter) -> Scores:
        """The score of every message id that the filter admits; 0 for those without a word of the query. Those of
        others mean nothing. Round to `PLACES`."""
        with self._current():
            return self._scores(query, search_filter)

    def best(self, totals: Scores, search_filter: SearchFilter, k: int) -> list[ScoredId]:
        """The k best of `scores` that the filter admits."""
        if k <= 0 or search_filter.finds_nothing:
            return []
        ids = self._likely(totals, search_filter, k)
        scores = totals[ids]
        if len(ids) > k:
            least = np.partition(scores, -k)[-k]
            kept = scores >= least - _EQUAL
            ids, scores = ids[kept], scores[kept]
        return ranked(ids, scores, k)

    def threads_of(self, point_ids: Ids) -> Ids:
        """A number for each message, the same for those of one thread. One that came after the last `scores` is taken
        to be alone in its thread."""
        numbers = -1 - point_ids
        were_there = point_ids < self._end_id
        numbers[were_there] = self._columns.threads_of(point_ids[were_there])
        return numbers

    def _likely(self, totals: Scores, search_filter: SearchFilter, k: int) -> Rows:
        """Admitted ids that hold the k best, and all that equal the last of them: few, to be put in order."""
        best = totals.max(initial=0.0)
        if not search_filter.is_narrow:
            for share in _SHARES_OF_BEST:
                ids = np.flatnonzero(totals > share * best)
                ids = ids[self._columns.admitted(search_filter, ids)]
                if np.count_nonzero(totals[ids] > share * best + _EQUAL) >= k:
                    return ids
        # Rows beyond the scores are messages that came after them.
        admitted = self._columns.admitted(search_filter, slice(len(totals)))
        return np.flatnonzero(admitted & (totals > 0))

    @contextmanager
    def _current(self) -> Iterator[None]:
        """One view of the file, to which all that is held has been brought."""
        is_outermost = not self._connection.in_transaction
        if is_outermost:
            self._connection.execute("BEGIN")
        try:
            self._renew()
            yield
        finally:
            if is_outermost:
                self._connection.execute("ROLLBACK")

    def _scores(self, query: str, search_filter: SearchFilter) -> Scores:
        # Added up word by word: joining their postings first would take memory anew for each search.
        totals = np.zeros(self._end_id)
        for term in self._query_terms(query, search_filter):
            np.add.at(totals, term.point_ids, term.scores(self._statistics))
        return totals

    def _query_terms(self, query: str, search_filter: SearchFilter) -> list[_Term]:
        """The query's known words, the rarest first while they fit the budget."""
        words = {
            hashed_term(word, self._term_key): word for word in list(dict.fromkeys(text_terms(query)))[:LOOKED_UP_TERMS]
        }
        known = self._look_up(words)
        # By public frequency: what is left out tells nothing private.
        public = sorted((row for row in known if row[2]), key=lambda row: (row[2], words[row[0]]))
        # Words of no public message take no place from others: a stranger could tell by what is then missing.
        # To whom only public messages are open, such a word is as one that nobody wrote, in the work it makes too.
        kept = [] if search_filter.finds_public_only else [row for row in known if not row[2]]
        used = 0
        for place, row in enumerate(public[:QUERY_TERMS]):
            used += row[2]
            if place and used > POSTINGS_BUDGET:
                break
            kept.append(row)
        return [self._term(*row) for row in kept]

    def _look_up(self, hashes: Iterable[bytes]) -> list[tuple[bytes, int, int]]:
        """(hashed word, term id, public messages) of those that are known."""
        rows: list[tuple[bytes, int, int]] = []
        for hashed in hashes:
            held = self._terms.get(hashed)
            if held is not None and held.public:  # else a stranger's search would tell that somebody's found it
                rows.append((hashed, held.term_id, held.public))
            elif (found := self._reader.find(hashed)) is not None:
                term_id, _, _, public = found
                rows.append((hashed, term_id, public))
        return rows

    def _term(self, hashed: bytes, term_id: int, public: int) -> _Term:
        term = self._terms.get(hashed)
        if term is not None:
            self._terms.move_to_end(hashed)
            return term
        term = _Term(term_id, public, self._reader.read(term_id))
        self._terms[hashed] = term
        self._hash_of[term_id] = hashed
        self._postings_held += len(term)
        while self._postings_held > POSTINGS_KEPT and len(self._terms) > 1:
            self._forget(next(iter(self._terms.values())).term_id)
        return term

    def _forget(self, term_id: int) -> None:
        hashed = self._hash_of.pop(term_id, None)
        if hashed is not None:
            self._postings_held -= len(self._terms.pop(hashed))

    def _renew(self) -> None:
        """Bring what is held to the state that this transaction sees."""
        (state,) = self._connection.execute("SELECT state FROM keyword_state").fetchone()
        if state == self._state:
            return
        changes = self._changes.between(self._state, state)
        if changes is None:
            self._begin_anew()
        else:
            for change in changes:
                for term_id in courteous(change.term_ids.tolist()):
                    self._forget(term_id)
            self._read_columns({point_id for change in changes for point_id in change.point_ids.tolist()})
        totals = self._connection.execute("SELECT public_messages, public_length FROM keyword_totals").fetchone()
        self._statistics = _Statistics(*totals)
        self._state = state

    def _begin_anew(self) -> None:
        self._terms.clear()
        self._hash_of.clear()
        self._postings_held = 0
        self._columns, self._end_id = FilterColumns(), 0
        (last,) = self._connection.execute("SELECT max(point_id) FROM keyword_points").fetchone()
        self._make_room(-1 if last is None else last)
        for row in courteous(self._connection.execute(f"SELECT {_COLUMNS} FROM keyword_points")):  # noqa: S608
            self._columns.put(*row)

    def _read_columns(self, point_ids: set[int]) -> None:
        self._make_room(max(point_ids, default=-1))
        for point_id in courteous(point_ids):
            row = self._connection.execute(
                f"SELECT {_COLUMNS} FROM keyword_points WHERE point_id = ?",  # noqa: S608  a constant
                (point_id,),
            ).fetchone()
            if row is None:
                self._columns.clear([point_id])
            else:
                self._columns.put(*row)

    def _make_room(self, last_id: int) -> None:
        self._end_id = max(self._end_id, last_id + 1)
        self._columns.grow(self._end_id)


_COLUMNS: Final = "point_id, thread_id, author, created_at_ms, privacy"


def scores_at(totals: Scores, point_ids: Ids) -> Scores:
    """The rounded scores of messages; 0 for those that were not there when the scores were taken."""
    found = np.zeros(len(point_ids))
    were_there = point_ids < len(totals)
    found[were_there] = totals[point_ids[were_there]].round(PLACES)
    return found


def _weight(messages: int, having: int) -> float:
    """How much a word counts that ``having`` of the public ``messages`` have."""
    return math.log(1 + (messages - having + 0.5) / (having + 0.5))
