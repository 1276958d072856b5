"""Exact scan in NumPy: the reference of the tests, and the better choice while a collection is small."""

from collections.abc import Sequence
from typing import Final

import numpy as np

from choir.memory.filter_columns import FilterColumns
from choir.memory.vector_index import (
    IndexUnavailable,
    Point,
    ScoredId,
    SearchFilter,
    Vector,
    checked_points,
    checked_vector,
    ranked,
)

_FIRST_ROWS: Final = 1 << 15


class ExactIndex:
    """Rows in memory. Nothing is sent to a thread: up to `EXACT_LIMIT` rows a scan takes less than a millisecond, and
    the way to a thread and back adds a good part of that again."""

    def __init__(self, dimensions: int) -> None:
        self.dimensions = dimensions
        self._table = _Table(dimensions)
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
        return self._open_table().search(vector, search_filter, k, among)

    async def count(self) -> int:
        return len(self._open_table().row_of)

    async def optimise(self) -> None:
        """A scan has nothing to optimise."""

    async def flush(self) -> None:
        """Lives in memory only; the records rebuild it."""

    async def aclose(self) -> None:
        self._closed = True

    def _open_table(self) -> "_Table":
        if self._closed:
            raise IndexUnavailable("the index is closed")
        return self._table


class _Table:
    """Vectors, ids and columns of as many rows; the columns say which are free."""

    def __init__(self, dimensions: int) -> None:
        self.row_of: dict[int, int] = {}
        self._free: list[int] = []
        self._end = 0  # rows behind it were never taken
        self._vectors: Vector = np.zeros((_FIRST_ROWS, dimensions), dtype=np.float32)
        self._ids = np.zeros(_FIRST_ROWS, dtype=np.int64)
        self._columns = FilterColumns()
        self._columns.grow(_FIRST_ROWS)

    def upsert(self, points: Sequence[Point]) -> None:
        for point in points:
            row = self.row_of.get(point.point_id)
            row = self._take_row() if row is None else row
            self.row_of[point.point_id] = row
            self._vectors[row] = point.vector
            self._ids[row] = point.point_id
            self._columns.put(row, point.thread_id, point.author, point.created_at_ms, point.privacy)

    def set_privacy(self, point_ids: Sequence[int], level: str) -> None:
        rows = [self.row_of[point_id] for point_id in point_ids if point_id in self.row_of]
        self._columns.set_privacy(rows, level)

    def delete(self, point_ids: Sequence[int]) -> None:
        rows = [self.row_of.pop(point_id) for point_id in set(point_ids) if point_id in self.row_of]
        self._columns.clear(rows)
        self._vectors[rows] = 0
        self._free += rows

    def search(
        self, vector: Vector, search_filter: SearchFilter, k: int, among: Sequence[int] | None
    ) -> list[ScoredId]:
        if among is None:
            rows = np.flatnonzero(self._columns.admitted(search_filter)[: self._end])
        else:
            named = np.array([self.row_of[i] for i in dict.fromkeys(among) if i in self.row_of], dtype=np.intp)
            rows = named[self._columns.admitted(search_filter, named)]
        if k <= 0 or not len(rows):
            return []
        most = len(rows) * 4 > self._end  # gathering many rows costs more than scoring a few too many
        # Not the matrix product: its threads wait for each other, tens of milliseconds where the processors are busy.
        scores = np.vecdot(self._vectors[: self._end], vector)[rows] if most else np.vecdot(self._vectors[rows], vector)
        if len(rows) > k:
            least = np.partition(scores, -k)[-k]
            kept = scores >= least
            rows, scores = rows[kept], scores[kept]
        return ranked(self._ids[rows], scores, k)

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
