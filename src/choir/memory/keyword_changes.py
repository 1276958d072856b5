"""What the last writes to the keyword index touched, so that those who hold parts of it in memory renew only these."""

import threading
from collections import OrderedDict
from collections.abc import Collection
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

_NUMBERS_KEPT: Final = 1 << 20  # of 4 bytes: some hundred batches of an import


class Change(NamedTuple):
    """One write: from the state ``before`` to the state ``after``."""

    before: int
    after: int
    point_ids: NDArray[np.uint32]
    term_ids: NDArray[np.uint32]


class KeywordChanges:
    """A short history, shared by one writer and its readers. Safe to use from several threads.

    A state is named by a random number that the writer stores in the transaction of the change. So what a reader sees
    in the file, and nothing else, decides whether what it holds is current: a write that was rolled back, or that is
    not in this history, can only make it read again.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._changes: OrderedDict[int, Change] = OrderedDict()
        self._numbers = 0

    def note(self, before: int, after: int, point_ids: Collection[int], term_ids: Collection[int]) -> None:
        """Call it before the change is committed: whoever sees the new state must find it here."""
        change = Change(before, after, np.array(list(point_ids), np.uint32), np.array(list(term_ids), np.uint32))
        with self._lock:
            self._changes[after] = change
            self._numbers += _numbers(change)
            while self._numbers > _NUMBERS_KEPT:
                self._numbers -= _numbers(self._changes.popitem(last=False)[1])

    def between(self, held: int, now: int) -> list[Change] | None:
        """What leads from one state to the other; None where that is not known any more."""
        found: list[Change] = []
        with self._lock:
            while now != held:
                change = self._changes.get(now)
                if change is None:
                    return None
                found.append(change)
                now = change.before
        return found


def _numbers(change: Change) -> int:
    return len(change.point_ids) + len(change.term_ids) + 1
