"""Exact scan in NumPy: the reference of the tests, and the better choice while a collection is small."""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from choir.memory.vector_index import (
    ENCRYPTED,
    IndexUnavailable,
    Point,
    ScoredId,
    SearchFilter,
    Vector,
    checked_points,
    checked_vector,
    ranked,
)

Result = TypeVar("Result")
INITIAL_ROWS = 256


class ExactIndex:
    """Rows in memory; one thread does all the work, so calls take effect in the order they were made."""

    def __init__(self, dimensions: int) -> None:
        self.dimensions = dimensions
        self._table = _Table(dimensions)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="exact-index")
        self._closed = False

    async def upsert(self, points: Sequence[Point]) -> None:
        checked_points(points, self.dimensions)
        await self._run(lambda: self._table.upsert(points))

    async def set_privacy(self, point_ids: Sequence[int], level: str) -> None:
        await self._run(lambda: self._table.set_privacy(point_ids, level))

    async def delete(self, point_ids: Sequence[int]) -> None:
        await self._run(lambda: self._table.delete(point_ids))

    async def search(
        self, vector: Vector, search_filter: SearchFilter, k: int, among: Sequence[int] | None = None
    ) -> list[ScoredId]:
        checked_vector(vector, self.dimensions)
        return await self._run(lambda: self._table.search(vector, search_filter, k, among))

    async def count(self) -> int:
        return await self._run(lambda: len(self._table.row_of))

    async def optimise(self) -> None:
        """A scan has nothing to optimise."""

    async def flush(self) -> None:
        """Lives in memory only; the records rebuild it."""

    async def aclose(self) -> None:
        self._closed = True
        self._thread.shutdown(wait=False)

    async def _run(self, work: Callable[[], Result]) -> Result:
        if self._closed:
            raise IndexUnavailable("the index is closed")
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)


class _Codes:
    """Small integers for strings, so that filters compare columns of integers."""

    def __init__(self) -> None:
        self._codes: dict[str, int] = {}

    def intern(self, value: str) -> int:
        return self._codes.setdefault(value, len(self._codes))

    def of(self, values: frozenset[str]) -> list[int]:
        return [self._codes[value] for value in values if value in self._codes]


class _Table:
    """Columns of equal length; a free row has id -1."""

    def __init__(self, dimensions: int) -> None:
        self.row_of: dict[int, int] = {}
        self._free: list[int] = []
        self._threads, self._authors, self._levels = _Codes(), _Codes(), _Codes()
        self._vectors: Vector = np.zeros((0, dimensions), dtype=np.float32)
        self._columns = {name: np.full(0, -1, dtype=np.int64) for name in ("id", "thread", "author", "time", "level")}

    def upsert(self, points: Sequence[Point]) -> None:
        for point in points:
            row = self.row_of.get(point.point_id)
            row = self._take_row() if row is None else row
            self.row_of[point.point_id] = row
            self._vectors[row] = point.vector
            self._columns["id"][row] = point.point_id
            self._columns["thread"][row] = self._threads.intern(point.thread_id)
            self._columns["author"][row] = self._authors.intern(point.author)
            self._columns["time"][row] = point.created_at_ms
            self._columns["level"][row] = self._levels.intern(point.privacy)

    def set_privacy(self, point_ids: Sequence[int], level: str) -> None:
        rows = [self.row_of[point_id] for point_id in point_ids if point_id in self.row_of]
        self._columns["level"][rows] = self._levels.intern(level)

    def delete(self, point_ids: Sequence[int]) -> None:
        rows = [self.row_of.pop(point_id) for point_id in set(point_ids) if point_id in self.row_of]
        self._columns["id"][rows] = -1
        self._vectors[rows] = 0
        self._free += rows

    def search(
        self, vector: Vector, search_filter: SearchFilter, k: int, among: Sequence[int] | None
    ) -> list[ScoredId]:
        if among is None:
            rows = np.flatnonzero(self._mask(search_filter, self._columns))
        else:
            named = np.array([self.row_of[i] for i in dict.fromkeys(among) if i in self.row_of], dtype=np.int64)
            rows = named[self._mask(search_filter, {name: column[named] for name, column in self._columns.items()})]
        if k <= 0 or not len(rows):
            return []
        most = len(rows) * 4 > len(self._vectors)  # gathering many rows costs more than scoring a few too many
        # Not the matrix product: its threads wait for each other, tens of milliseconds where the processors are busy.
        scores = np.vecdot(self._vectors, vector)[rows] if most else np.vecdot(self._vectors[rows], vector)
        if len(rows) > k:
            least = np.partition(scores, -k)[-k]
            kept = scores >= least
            rows, scores = rows[kept], scores[kept]
        ids = self._columns["id"][rows]
        return ranked(list(zip(ids.tolist(), scores.tolist(), strict=True)), k)

    def _mask(self, wanted: SearchFilter, columns: dict[str, NDArray[np.int64]]) -> NDArray[np.bool_]:
        readable = np.isin(columns["level"], self._levels.of(wanted.readable_levels))
        if wanted.own_threads:
            readable |= np.isin(columns["thread"], self._threads.of(wanted.own_threads))
        readable &= ~np.isin(columns["level"], self._levels.of(frozenset({ENCRYPTED})))
        readable &= columns["id"] >= 0
        if wanted.thread_id is not None:
            readable &= np.isin(columns["thread"], self._threads.of(frozenset({wanted.thread_id})))
        if wanted.author is not None:
            readable &= np.isin(columns["author"], self._authors.of(frozenset({wanted.author})))
        if wanted.privacy is not None:
            readable &= np.isin(columns["level"], self._levels.of(frozenset({wanted.privacy})))
        if wanted.since_ms is not None:
            readable &= columns["time"] >= wanted.since_ms
        if wanted.until_ms is not None:
            readable &= columns["time"] < wanted.until_ms
        return readable

    def _take_row(self) -> int:
        if not self._free:
            rows = len(self._vectors)
            added = max(INITIAL_ROWS, rows)
            self._vectors = np.concatenate([self._vectors, np.zeros((added, self._vectors.shape[1]), np.float32)])
            for name, column in self._columns.items():
                self._columns[name] = np.concatenate([column, np.full(added, -1, dtype=np.int64)])
            self._free = list(range(rows + added - 1, rows - 1, -1))
        return self._free.pop()
