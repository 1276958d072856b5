"""Exact scan in NumPy: the reference of the tests, and the better choice while a collection is small."""

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final

import numpy as np
from numpy.typing import NDArray

from choir.memory.filter_columns import FilterColumns, Rows
from choir.memory.vector_index import (
    IndexUnavailable,
    Point,
    ScoredId,
    SearchFilter,
    Vector,
    checked_points,
    checked_vector,
    ranked,
    rounded_scores,
)

Ids = NDArray[np.int64]

_FIRST_ROWS: Final = 1 << 15
_SHARES_OF_BEST: Final = (0.6, 0.4)  # nine of ten questions find their 50 so; asking all rows takes four times as long


class ExactIndex:
    """Rows in memory. `search` scans on the event loop: up to `EXACT_LIMIT` rows that takes less than a millisecond."""

    def __init__(self, dimensions: int) -> None:
        self.dimensions = dimensions
        self._table = _Table(dimensions)
        self._products = ThreadPoolExecutor(1, thread_name_prefix="vectors")
        self._closed = False

    async def upsert(self, points: Sequence[Point]) -> None:
        checked_points(points, self.dimensions)
        self._open_table().upsert(points)

    async def set_privacy(self, point_ids: Sequence[int], level: str) -> None:
        self._open_table().set_privacy(point_ids, level)

    async def delete(self, point_ids: Sequence[int]) -> None:
        self._open_table().delete(point_ids)

    async def search(
        self, vector: Vector, search_filter: SearchFilter, k: int, among: Sequence[int] | None = None
    ) -> list[ScoredId]:
        checked_vector(vector, self.dimensions)
        named = None if among is None else list(dict.fromkeys(among))
        return ranked(*self._open_table().best(vector, search_filter, k, named), k)

    def ask(self, vector: Vector, search_filter: SearchFilter, k: int) -> "_Scan":
        checked_vector(vector, self.dimensions)
        return _Scan(self._open_table(), self._products, vector, search_filter, k)

    async def count(self) -> int:
        return len(self._open_table().row_of)

    async def optimise(self) -> None:
        """A scan has nothing to optimise."""

    async def flush(self) -> None:
        """Lives in memory only; the records rebuild it."""

    async def aclose(self) -> None:
        self._closed = True
        self._products.shutdown(wait=False)

    def _open_table(self) -> "_Table":
        if self._closed:
            raise IndexUnavailable("the index is closed")
        return self._table


class _Scan:
    """Implements `Asked`: the products with all vectors are on their way from the start, on a thread of their own; the
    rest is done by the one that asks. More than these on two threads takes longer: both want the interpreter lock
    between any two steps."""

    def __init__(
        self, table: "_Table", products: ThreadPoolExecutor, vector: Vector, search_filter: SearchFilter, k: int
    ) -> None:
        self._table = table
        self._vector, self._filter, self._k = vector, search_filter, k
        self._version = table.version
        self._products = None if search_filter.is_narrow else products.submit(table.products, vector)

    def begin(self) -> bool:
        return self._products is not None

    def similarities(self, named: Sequence[int]) -> dict[int, float]:
        products = None if self._products is None else self._products.result()
        with self._table.writing:
            # Of rows that were written meanwhile, nobody knows whose products they are.
            known = products if self._version == self._table.version else None
            named_ids, of_named = self._table.best(self._vector, self._filter, len(named), named, known)
            nearest_ids, of_nearest = self._table.best(self._vector, self._filter, self._k, None, known)
        point_ids, scores = np.concatenate([named_ids, nearest_ids]), np.concatenate([of_named, of_nearest])
        return dict(zip(point_ids.tolist(), rounded_scores(scores).tolist(), strict=True))


class _Table:
    """Vectors, ids and columns of as many rows; the columns say which are free. The event loop alone writes; other
    threads call `products` at any time, and `best` while they hold ``writing``."""

    def __init__(self, dimensions: int) -> None:
        self.writing = threading.Lock()
        self.version = 0  # another one from the beginning of each write
        self.row_of: dict[int, int] = {}
        self._free: list[int] = []
        self._end = 0  # rows behind it were never taken
        self._vectors: Vector = np.zeros((_FIRST_ROWS, dimensions), dtype=np.float32)
        self._ids = np.zeros(_FIRST_ROWS, dtype=np.int64)
        self._columns = FilterColumns()
        self._columns.grow(_FIRST_ROWS)

    def upsert(self, points: Sequence[Point]) -> None:
        with self.writing:
            self.version += 1
            for point in points:
                row = self.row_of.get(point.point_id)
                row = self._take_row() if row is None else row
                self.row_of[point.point_id] = row
                self._vectors[row] = point.vector
                self._ids[row] = point.point_id
                self._columns.put(row, point.thread_id, point.author, point.created_at_ms, point.privacy)

    def set_privacy(self, point_ids: Sequence[int], privacy: str) -> None:
        with self.writing:
            self.version += 1
            rows = [self.row_of[point_id] for point_id in point_ids if point_id in self.row_of]
            self._columns.set_privacy(rows, privacy)

    def delete(self, point_ids: Sequence[int]) -> None:
        with self.writing:
            self.version += 1
            rows = [self.row_of.pop(point_id) for point_id in set(point_ids) if point_id in self.row_of]
            self._columns.clear(rows)
            self._vectors[rows] = 0
            self._free += rows

    def products(self, vector: Vector) -> Vector:
        """With every row's vector."""
        # Not the matrix product: its threads wait for each other, tens of milliseconds where the processors are busy.
        found: Vector = np.vecdot(self._vectors[: self._end], vector)
        return found

    def best(
        self,
        vector: Vector,
        search_filter: SearchFilter,
        k: int,
        among: Sequence[int] | None,
        known: Vector | None = None,
    ) -> tuple[Ids, Vector]:
        """The k nearest and their scores, in any order; with equals of the last, more. ``known`` are the `products`,
        where somebody has them already."""
        if among is None:
            rows = self._likely(search_filter, k, known)
        else:
            named = np.array([row for row in map(self.row_of.get, among) if row is not None], dtype=np.intp)
            rows = named[self._columns.admitted(search_filter, named)]
        if k <= 0:
            rows = rows[:0]
        if known is None and len(rows) * 4 > self._end:  # gathering many costs more than scoring a few too many
            known = self.products(vector)
        scores = np.vecdot(self._vectors[rows], vector) if known is None else known[rows]
        if len(rows) > k:
            least = np.partition(scores, -k)[-k]
            kept = scores >= least
            rows, scores = rows[kept], scores[kept]
        return self._ids[rows], scores

    def _likely(self, search_filter: SearchFilter, k: int, known: Vector | None) -> Rows:
        """Admitted rows, the k best among them: few, if the products are known."""
        if known is not None and len(known):
            best = known.max()
            for share in _SHARES_OF_BEST:
                rows = np.flatnonzero(known > share * best)
                rows = rows[self._columns.admitted(search_filter, rows)]
                if len(rows) >= k:
                    return rows
        return np.flatnonzero(self._columns.admitted(search_filter, slice(self._end)))

    def _take_row(self) -> int:
        if self._free:
            return self._free.pop()
        if self._end == len(self._ids):
            self._grow()
        self._end += 1
        return self._end - 1

    def _grow(self) -> None:
        """Room is only memory once it is written to, so there is plenty of it: copying all vectors takes long."""
        added = max(_FIRST_ROWS, len(self._ids))
        self._vectors = np.concatenate([self._vectors, np.zeros((added, self._vectors.shape[1]), np.float32)])
        self._ids = np.concatenate([self._ids, np.zeros(added, np.int64)])
        self._columns.grow(len(self._ids))
