"""Qdrant Edge in a process of its own, supervised (components.md: what to know about Edge).

One move does everything: a fresh process is filled from the records, what was written meanwhile is replayed
from a journal, and it takes the place of the old one. That recovers from a death, and it optimises without
a pause, since the engine cannot answer while it builds its graph. An index that was not closed cleanly is
never trusted: it may have missed that a message became private.
"""

import asyncio
import shutil
import uuid
from collections.abc import Sequence
from pathlib import Path

import msgspec
import numpy as np
import structlog

from choir.memory.indexes.edge_process import EdgeProcess
from choir.memory.indexes.edge_question import EdgeQuestion
from choir.memory.indexes.edge_wire import (
    LAYOUT,
    Count,
    Delete,
    Done,
    Flush,
    Hits,
    Optimise,
    Search,
    SetPrivacy,
    Upsert,
    WirePoint,
    Write,
)
from choir.memory.vector_index import (
    IndexUnavailable,
    Point,
    PointSource,
    ScoredId,
    SearchFilter,
    StoredSimilarities,
    Vector,
    checked_points,
    checked_vector,
)

SEARCH_SECONDS = 5.0
FLUSH_SECONDS = 120.0
GRAPH_PAYS_FROM = 20_000  # fewer points are scanned in a millisecond or two
UNGRAPHED_SHARE = 0.1  # of the points; more are worth a new graph
WIRE_BATCH = 500  # points per request: encoding them holds the event loop for about a millisecond
RETRY_SECONDS = (0.2, 1.0, 5.0, 30.0)

log = structlog.get_logger()


class CleanClose(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Left on disk by a clean close, taken away when the index is opened."""

    generation: str
    layout: int
    embedder: str
    dimensions: int
    ungraphed: int


class EdgeIndex:
    """`embedder` names whose vectors these are: an index of another's is not opened. `source` yields all points the
    index should hold now; read after a death and for an optimisation. `stored` is what `ask` needs beside the process.
    """

    def __init__(
        self,
        directory: Path,
        embedder: str,
        dimensions: int,
        source: PointSource,
        stored: StoredSimilarities | None = None,
    ) -> None:
        self._embedder = embedder
        self.dimensions = dimensions
        self._directory = directory
        self._source = source
        self._stored = stored
        self._serving: EdgeProcess | None = None
        self._generation = ""
        self._ungraphed = 0
        self._writing = asyncio.Lock()
        self._journal: list[Write] | None = None  # a list while a fresh process is being filled
        self._building: asyncio.Task[None] | None = None
        self._closed = False

    @classmethod
    async def open(
        cls,
        directory: Path,
        embedder: str,
        dimensions: int,
        source: PointSource,
        stored: StoredSimilarities | None = None,
    ) -> "EdgeIndex":
        """Ready at once after a clean close; else IndexUnavailable until the records have been read."""
        index = cls(directory, embedder, dimensions, source, stored)
        clean = await asyncio.to_thread(_take_clean_close, directory)
        ours = (LAYOUT, embedder, dimensions)
        is_ours = clean is not None and (clean.layout, clean.embedder, clean.dimensions) == ours
        kept = clean.generation if clean and is_ours else ""
        await asyncio.to_thread(_remove_generations, directory, kept)
        if clean and kept:
            index._ungraphed = clean.ungraphed
            try:
                index._serve(await EdgeProcess.start(directory / kept, dimensions), kept)
            except IndexUnavailable as error:
                log.warning("vector index could not be reopened", reason=str(error))
        if index._serving is None:
            index._recover()
        return index

    @property
    def ready(self) -> bool:
        return self._serving is not None

    @property
    def process_id(self) -> int | None:
        return self._serving.pid if self._serving else None

    async def wait_until_ready(self) -> None:
        """Wait for a rebuild under way. Raises IndexUnavailable if the index is closed."""
        while not self.ready:
            if self._closed or self._building is None:
                raise IndexUnavailable("the index is closed")
            await asyncio.wait([self._building])

    async def upsert(self, points: Sequence[Point]) -> None:
        checked_points(points, self.dimensions)
        for start in range(0, len(points), WIRE_BATCH):
            batch = points[start : start + WIRE_BATCH]
            self._ungraphed += len(batch)
            await self._write(Upsert([wire_point(point) for point in batch]))

    async def set_privacy(self, point_ids: Sequence[int], level: str) -> None:
        await self._write(SetPrivacy(list(point_ids), level))

    async def delete(self, point_ids: Sequence[int]) -> None:
        await self._write(Delete(list(point_ids)))

    async def search(
        self, vector: Vector, search_filter: SearchFilter, k: int, among: Sequence[int] | None = None
    ) -> list[ScoredId]:
        checked_vector(vector, self.dimensions)
        ids = None if among is None else list(among)
        request = Search(vector.astype("<f4").tobytes(), search_filter, k, ids)
        reply = await self._running().call(request, SEARCH_SECONDS)
        assert isinstance(reply, Hits)
        return reply.hits

    def ask(self, vector: Vector, search_filter: SearchFilter, k: int) -> EdgeQuestion | None:
        checked_vector(vector, self.dimensions)
        if self._stored is None:
            return None
        return EdgeQuestion(self._running, self._stored, vector, search_filter, k, SEARCH_SECONDS)

    async def count(self) -> int:
        reply = await self._running().call(Count())
        assert isinstance(reply, Done)
        return reply.value

    async def optimise(self) -> None:
        """Build a new graph beside the serving one if enough has been written since the last."""
        if self._building is not None:
            await asyncio.wait([self._building])
        points = await self.count()
        if points >= GRAPH_PAYS_FROM and self._ungraphed > UNGRAPHED_SHARE * points:
            await self.rebuild()

    async def rebuild(self) -> None:
        """Read all records again, with a new graph. The old process answers meanwhile."""
        if self._closed:
            raise IndexUnavailable("the index is closed")
        while self._building is not None:
            await asyncio.wait([self._building])
        self._journal = []
        self._building = asyncio.create_task(self._build(graph=True))
        self._building.add_done_callback(self._built)
        building = self._building
        await asyncio.wait([building])
        if building.cancelled():
            raise IndexUnavailable("the index was closed")
        building.result()

    async def flush(self) -> None:
        await self._running().call(Flush(), FLUSH_SECONDS)

    async def aclose(self) -> None:
        if self._closed:
            return
        self._closed = True
        if self._building is not None:
            self._building.cancel()
            await asyncio.wait([self._building])
        async with self._writing:
            await self._close_cleanly()

    async def _close_cleanly(self) -> None:
        process, self._serving = self._serving, None
        if process is None:
            return
        try:
            await process.call(Flush(), FLUSH_SECONDS)
            clean = CleanClose(self._generation, LAYOUT, self._embedder, self.dimensions, self._ungraphed)
            (self._directory / "clean").write_bytes(msgspec.json.encode(clean))
        except IndexUnavailable as error:
            log.warning("vector index not closed cleanly, it will be rebuilt", reason=str(error))
        finally:
            await process.stop()

    async def _write(self, request: Write) -> None:
        """Applied at once, and again by whatever process takes over: writes are replayable.

        A write that fails ends the process, since its index can no longer be trusted. It is not lost: the
        records held it first, and they are what the next process is filled from.
        """
        async with self._writing:
            if self._journal is not None:
                self._journal.append(request)
            try:
                if self._serving is not None:
                    await self._serving.call(request)
                elif self._journal is None:
                    raise IndexUnavailable("the index is closed")
            except IndexUnavailable:
                if self._serving is not None:
                    self._serving.kill()
                if self._journal is None:
                    raise

    def _running(self) -> EdgeProcess:
        if self._serving is None:
            raise IndexUnavailable("the vector index is being rebuilt" if not self._closed else "the index is closed")
        return self._serving

    def _serve(self, process: EdgeProcess, generation: str) -> None:
        self._serving, self._generation = process, generation
        process.on_death(self._on_death)

    def _on_death(self) -> None:
        log.warning("vector index process died, rebuilding from the records", pid=self.process_id)
        self._serving = None
        if not self._closed and self._building is None:
            self._recover()

    def _recover(self) -> None:
        self._journal = []
        self._building = asyncio.create_task(self._recover_with_retries())
        self._building.add_done_callback(self._built)

    def _built(self, task: asyncio.Task[None]) -> None:
        self._building = None
        self._journal = None
        if not task.cancelled() and task.exception() is not None:
            log.error("vector index build failed", reason=repr(task.exception()))
        if self._serving is None and not self._closed:
            self._recover()  # the serving process died while its successor failed

    async def _recover_with_retries(self) -> None:
        """Until a process serves: first without a graph, to be back soon."""
        attempt = 0
        while True:
            try:
                return await self._build(graph=False)
            except Exception as error:  # whatever the records' reader raises: try again, never give up silently
                log.error("vector index rebuild failed, trying again", reason=repr(error))
            await asyncio.sleep(RETRY_SECONDS[min(attempt, len(RETRY_SECONDS) - 1)])
            attempt += 1

    async def _build(self, *, graph: bool) -> None:
        generation = f"generation-{uuid.uuid4().hex}"
        process = await EdgeProcess.start(self._directory / generation, self.dimensions)
        try:
            loaded = await self._fill(process)
            if graph:
                await process.call(Optimise(), None)
            async with self._writing:
                await self._replay(process)
                old, old_generation = self._serving, self._generation
                self._ungraphed = 0 if graph else loaded
                self._serve(process, generation)
                self._journal = None
        except BaseException:
            await process.stop()
            await asyncio.to_thread(shutil.rmtree, self._directory / generation, ignore_errors=True)
            raise
        if old is not None:
            await old.retire()
        if old_generation:
            await asyncio.to_thread(shutil.rmtree, self._directory / old_generation, ignore_errors=True)

    async def _fill(self, process: EdgeProcess) -> int:
        loaded = 0
        async for batch in self._source():
            for start in range(0, len(batch), WIRE_BATCH):
                part = checked_points(batch[start : start + WIRE_BATCH], self.dimensions)
                await process.call(Upsert([wire_point(point) for point in part]))
            loaded += len(batch)
        return loaded

    async def _replay(self, process: EdgeProcess) -> None:
        for request in self._journal or []:
            await process.call(request)


def wire_point(point: Point) -> WirePoint:
    """A point as the index process takes it."""
    vector = np.asarray(point.vector, dtype="<f4").tobytes()
    return WirePoint(point.point_id, vector, point.thread_id, point.author, point.created_at_ms, point.privacy)


def _take_clean_close(directory: Path) -> CleanClose | None:
    directory.mkdir(parents=True, exist_ok=True)
    marker = directory / "clean"
    try:
        clean = msgspec.json.decode(marker.read_bytes(), type=CleanClose)
    except (FileNotFoundError, msgspec.MsgspecError):
        return None
    finally:
        marker.unlink(missing_ok=True)
    return clean if (directory / clean.generation).is_dir() else None


def _remove_generations(directory: Path, kept: str) -> None:
    for path in directory.glob("generation-*"):
        if path.name != kept:
            shutil.rmtree(path, ignore_errors=True)
