"""The vector index port. An index is derived data: the records can rebuild it (architecture.md, law 1).

Privacy is part of the query (memory.md, Privacy): `SearchFilter` goes into the engine, results are never
filtered.
"""

from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any, Protocol

import msgspec
import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float32]
Scores = NDArray[np.float64]

PLACES = 6  # of a score
UNIT_TOLERANCE = 1e-3  # of a vector's squared length
PUBLIC = "public"
ENCRYPTED = "encrypted"  # never found by any search, whoever asks


class IndexUnavailable(Exception):
    """The engine is down, restarting or too slow. Nothing is lost; answer without it or try again."""


class IndexTooSlow(IndexUnavailable):
    """It let somebody wait in vain, and the next would wait as long."""


class Point(msgspec.Struct, frozen=True, gc=False):  # many at once, never in a cycle
    """One message in the index. `vector` has length 1, shape (dimensions,)."""

    point_id: int
    vector: Vector
    thread_id: str
    author: str
    created_at_ms: int
    privacy: str


# Every point the index should hold now, in batches. What a rebuild reads.
PointSource = Callable[[], AsyncIterator[Sequence[Point]]]


class SearchFilter(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which messages a search may find.

    A message may be found if its privacy is in `levels` or its thread is in `own_threads`, and it is not
    encrypted. The others narrow further: `since_ms` <= created_at_ms < `until_ms`.
    """

    levels: frozenset[str] = frozenset({PUBLIC})
    own_threads: frozenset[str] = frozenset()
    thread_id: str | None = None
    author: str | None = None
    since_ms: int | None = None
    until_ms: int | None = None
    privacy: str | None = None

    @property
    def readable_levels(self) -> frozenset[str]:
        return self.levels - {ENCRYPTED}

    @property
    def finds_nothing(self) -> bool:
        return not self.readable_levels and not self.own_threads

    @property
    def finds_public_only(self) -> bool:
        return not self.own_threads and self.readable_levels <= {PUBLIC}

    @property
    def is_narrow(self) -> bool:
        """It names a thread or an author, or admits own threads only: better to list what it admits."""
        return self.thread_id is not None or self.author is not None or not self.readable_levels

    def matches(self, thread_id: str, author: str, created_at_ms: int, privacy: str) -> bool:
        """The definition, for one message; every engine must agree with it."""
        return (
            privacy != ENCRYPTED
            and (privacy in self.levels or thread_id in self.own_threads)
            and (self.thread_id is None or thread_id == self.thread_id)
            and (self.author is None or author == self.author)
            and (self.since_ms is None or created_at_ms >= self.since_ms)
            and (self.until_ms is None or created_at_ms < self.until_ms)
            and (self.privacy is None or privacy == self.privacy)
        )


ScoredId = tuple[int, float]


# The similarities of messages that the filter admits, by their ids, from where their vectors are kept. For a thread.
StoredSimilarities = Callable[[Vector, SearchFilter, Sequence[int]], list[ScoredId]]


class Asked(Protocol):
    """A search under way. Its methods are called one after the other on one thread, always the same for an index, and
    block it; each may raise IndexUnavailable."""

    def begin(self) -> bool:
        """Have the nearest looked for. False where that waits for `similarities`, and no time is won meanwhile."""
        ...

    def similarities(self, named: Sequence[int]) -> dict[int, float]:
        """Of the nearest, and of those named that the filter admits."""
        ...


class VectorIndex(Protocol):
    """All methods may raise IndexUnavailable; none blocks the event loop; later calls see earlier writes.

    Write to the records first, then here: what is lost here is read from there.
    """

    @property
    def dimensions(self) -> int: ...

    async def upsert(self, points: Sequence[Point]) -> None:
        """Insert or replace. Raises ValueError for a vector of the wrong shape or length."""
        ...

    async def set_privacy(self, point_ids: Sequence[int], level: str) -> None:
        """Ids that are not there are passed over."""
        ...

    async def delete(self, point_ids: Sequence[int]) -> None:
        """Ids that are not there are passed over."""
        ...

    async def search(
        self, vector: Vector, search_filter: SearchFilter, k: int, among: Sequence[int] | None = None
    ) -> list[ScoredId]:
        """At most k (id, cosine similarity), best first, equal ones by id.

        `among` narrows to those ids, exactly.
        """
        ...

    def ask(self, vector: Vector, search_filter: SearchFilter, k: int) -> Asked | None:
        """The same for a thread that has other work meanwhile. None where only `search` will do."""
        ...

    async def count(self) -> int: ...

    async def optimise(self) -> None:
        """Make searches fast after many writes. Searches and writes go on meanwhile."""
        ...

    async def flush(self) -> None:
        """Bring the index to disk where it lives there."""
        ...

    async def aclose(self) -> None: ...


def checked_points(points: Sequence[Point], dimensions: int) -> Sequence[Point]:
    """Raises ValueError for a point whose vector is not a finite one of length 1 and `dimensions` numbers."""
    for point in points:
        checked_vector(point.vector, dimensions, f"point {point.point_id}")
        if point.point_id < 0:
            raise ValueError(f"point id {point.point_id} is negative")
    return points


def checked_vector(vector: Vector, dimensions: int, name: str = "query") -> Vector:
    if vector.shape != (dimensions,):
        raise ValueError(f"{name}: vector has shape {vector.shape}, the index holds {dimensions} dimensions")
    if not has_length_one(vector):
        raise ValueError(f"{name}: vector does not have length 1")
    return vector


def has_length_one(vector: Vector) -> bool:
    """No index takes another. False for one with NaN or ∞."""
    with np.errstate(over="ignore", invalid="ignore"):
        return abs(float(np.dot(vector, vector)) - 1.0) < UNIT_TOLERANCE


def ranked(point_ids: Sequence[int] | NDArray[Any], scores: Sequence[float] | NDArray[Any], k: int) -> list[ScoredId]:
    """The k best, best first, equal scores by id: one order for every engine.

    Scores are rounded to PLACES: beyond them they depend on how an engine happens to add numbers up.
    """
    ids, rounded = np.asarray(point_ids, np.int64), rounded_scores(scores)
    order = best_first(ids, rounded)[:k]
    return list(zip(ids[order].tolist(), rounded[order].tolist(), strict=True))


def rounded_scores(scores: Sequence[float] | NDArray[Any]) -> Scores:
    """To PLACES, in 64 bits."""
    return np.asarray(scores, np.float64).round(PLACES)


def best_first(point_ids: NDArray[np.int64], rounded: Scores) -> NDArray[np.intp]:
    """The places of the scores, in the order of `ranked`."""
    return np.lexsort((point_ids, -rounded))
