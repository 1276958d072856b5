"""Long work on a thread that lets others have the interpreter lock."""

import time
from collections.abc import Iterable, Iterator
from typing import Final, TypeVar

T = TypeVar("T")

_WORK_SECONDS: Final = 0.002
_PAUSE_SECONDS: Final = 0.00005


def courteous(items: Iterable[T]) -> Iterator[T]:
    """The items, with a short sleep each two milliseconds.

    SQLite gives the lock away in every step and takes it back microseconds later. Each time, a thread that waits for it
    wakes up too late, and begins to wait anew: so it never waits long enough to be given the lock, and the event loop
    stands still for as long as the steps follow each other.
    """
    due = time.perf_counter() + _WORK_SECONDS
    for item in items:
        yield item
        if time.perf_counter() >= due:
            time.sleep(_PAUSE_SECONDS)
            due = time.perf_counter() + _WORK_SECONDS
