"""What a search filter asks of messages, as columns of numbers: over many messages it is a few array operations."""

from collections.abc import Iterable
from typing import Final

import numpy as np
from numpy.typing import NDArray

from choir.memory.vector_index import ENCRYPTED, SearchFilter

Rows = NDArray[np.intp]
_FIRST_ROWS: Final = 256
_NOBODY: Final = 0  # the level of a row that holds no message


class FilterColumns:
    """One row a message; the caller says which. Agrees with `SearchFilter.matches`. Not for concurrent use."""

    def __init__(self) -> None:
        self._threads, self._authors, self._levels = _Codes(), _Codes(), _Codes()
        self._levels.intern("")  # _NOBODY
        self._encrypted = self._levels.intern(ENCRYPTED)
        self._thread = np.zeros(0, dtype=np.int32)
        self._author = np.zeros(0, dtype=np.int32)
        self._level = np.zeros(0, dtype=np.int8)
        self._time = np.zeros(0, dtype=np.int64)

    def __len__(self) -> int:
        """Rows there is room for."""
        return len(self._level)

    def grow(self, rows: int) -> None:
        """Make room for at least ``rows``; new ones hold no message."""
        added = max(rows, _FIRST_ROWS, 2 * len(self)) - len(self)
        if rows > len(self):
            self._thread = np.concatenate([self._thread, np.zeros(added, np.int32)])
            self._author = np.concatenate([self._author, np.zeros(added, np.int32)])
            self._level = np.concatenate([self._level, np.full(added, _NOBODY, np.int8)])
            self._time = np.concatenate([self._time, np.zeros(added, np.int64)])

    def put(self, row: int, thread_id: str, author: str, created_at_ms: int, privacy: str) -> None:
        self._thread[row] = self._threads.intern(thread_id)
        self._author[row] = self._authors.intern(author)
        self._time[row] = created_at_ms
        self._level[row] = self._levels.intern(privacy)

    def set_privacy(self, rows: list[int], privacy: str) -> None:
        self._level[rows] = self._levels.intern(privacy)

    def clear(self, rows: list[int]) -> None:
        """These hold no message any more."""
        self._level[rows] = _NOBODY

    def threads_of(self, rows: Rows) -> NDArray[np.int32]:
        """The number of each message's thread; it means nothing elsewhere."""
        return self._thread[rows]

    def admitted(self, wanted: SearchFilter, rows: Rows | slice) -> NDArray[np.bool_]:
        """Whether the filter admits the messages of ``rows``."""
        level = self._level[rows]
        found = self._of_levels(level, wanted.readable_levels)
        if wanted.own_threads:
            found |= self._threads.among(wanted.own_threads).take(self._thread[rows])
            found &= (level != _NOBODY) & (level != self._encrypted)
        if wanted.thread_id is not None:
            found &= self._threads.among(frozenset({wanted.thread_id})).take(self._thread[rows])
        if wanted.author is not None:
            found &= self._authors.among(frozenset({wanted.author})).take(self._author[rows])
        if wanted.privacy is not None:
            found &= self._of_levels(level, (wanted.privacy,))
        if wanted.since_ms is not None:
            found &= self._time[rows] >= wanted.since_ms
        if wanted.until_ms is not None:
            found &= self._time[rows] < wanted.until_ms
        return found

    def _of_levels(self, level: NDArray[np.int8], names: Iterable[str]) -> NDArray[np.bool_]:
        """Compared one by one: there are four, and looking all up in a table takes ten times as long."""
        found = np.zeros(len(level), dtype=np.bool_)
        for name in names:
            found |= level == self._levels.code(name)
        return found


class _Codes:
    """Small integers for strings."""

    def __init__(self) -> None:
        self._codes: dict[str, int] = {}
        self._asked: tuple[int, frozenset[str]] = (0, frozenset())
        self._among = np.zeros(1, dtype=np.bool_)

    def intern(self, value: str) -> int:
        return self._codes.setdefault(value, len(self._codes))

    def code(self, value: str) -> int:
        """-1 for one that was never interned."""
        return self._codes.get(value, -1)

    def among(self, values: frozenset[str]) -> NDArray[np.bool_]:
        """Per code, whether its string is one of ``values``. A search asks the same some times over."""
        asked = (len(self._codes), values)
        if asked != self._asked:
            found = np.zeros(max(1, len(self._codes)), dtype=np.bool_)
            found[[self._codes[value] for value in values if value in self._codes]] = True
            self._asked, self._among = asked, found
        return self._among
