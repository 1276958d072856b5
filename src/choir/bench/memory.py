"""`choir bench memory`: indexing and search on this machine, all in one run (docs/reference/performance.md).

The records are signed messages in a real ledger; the parts are the node's own, and at the end a node over the same
directory answers over HTTP.
"""

import asyncio
import gc
import itertools
import shutil
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

from choir.bench.event_loop import TICK_SECONDS, watch_event_loop, watched_elsewhere
from choir.bench.memory_corpus import Corpus, Writers, load_corpus, make_texts, write_all
from choir.bench.processes import rss_mb
from choir.bench.rest import running_node, write_node_key
from choir.client import Client
from choir.engine.embedded.engine import EmbeddedEngine
from choir.memory.embedders import load_embedder
from choir.memory.embedding import Vectors
from choir.memory.indexes import EXACT_LIMIT
from choir.memory.indexes.edge import WIRE_BATCH, EdgeIndex, wire_point
from choir.memory.indexes.edge_shard import Shard
from choir.memory.indexes.edge_wire import Optimise, Search, Upsert
from choir.memory.indexes.exact import ExactIndex
from choir.memory.maintenance import open_indexer, rebuild_vectors
from choir.memory.memory import Memory
from choir.memory.vector_index import Point, SearchFilter, Vector, VectorIndex
from choir.node.follower import Follower
from choir.node.node import favour_the_event_loop, spare_the_garbage_collector
from choir.primitives.canonical import canonical_struct
from choir.primitives.signatures import SigningKey

EMBEDDER: Final = "wordllama"
K: Final = 10
_WARM_UP: Final = 20
_IDLE_SECONDS: Final = 2
_READ_BYTES: Final = 1 << 20
_EVERYTHING_PUBLIC: Final = SearchFilter()

Report = Callable[[str], None]


async def measure(directory: Path, records: int, report: Report) -> dict[str, Any]:
    """Figures of the corpus as it is imported, and of ``records`` records made from it. Raises ``ValueError`` where
    ``directory`` holds no Markdown."""
    corpus = load_corpus(directory)
    figures: dict[str, Any] = {"documents": corpus.documents, "queries": len(corpus.queries), "embedder": EMBEDDER}
    report("the corpus as imported")
    figures["imported"] = await _measure_part(corpus, corpus.messages, report)
    report(f"{records} records made from it")
    figures["made"] = await _measure_part(corpus, list(make_texts(corpus.messages, records)), report)
    return figures


async def _measure_part(corpus: Corpus, texts: Sequence[str], report: Report) -> dict[str, Any]:
    writers = Writers(threads=max(20, min(corpus.documents, len(texts))), time_ms=time.time_ns() // 1_000_000)
    with tempfile.TemporaryDirectory() as name, tempfile.TemporaryDirectory() as other:
        directory = Path(name)
        (directory / "genesis.json").write_bytes(canonical_struct(writers.genesis))
        write_node_key(directory, writers.keys[0])
        figures = await _measure_indexing(directory, texts, writers, report)
        report("the vector engine alone, and the exact scan")
        figures |= await _measure_engine(directory, Path(other) / "shard", corpus.queries, writers.keys[0])
        report("search in process")
        figures |= await _measure_search(directory, Path(other) / "shard", corpus.queries, writers)
        report("a rebuild of the vector index")
        started = time.perf_counter()
        await rebuild_vectors(directory, writers.keys[0], EMBEDDER, "auto", lambda _done, _total: None)
        figures["rebuild_s"] = round(time.perf_counter() - started, 2)
        report("search over REST")
        await asyncio.to_thread(_read_through, directory)
        return figures | await _measure_rest(directory, corpus.queries, writers)


async def _measure_indexing(directory: Path, texts: Sequence[str], writers: Writers, report: Report) -> dict[str, Any]:
    """Write, follow, index and optimise, in this process."""
    engine = EmbeddedEngine(directory, writers.keys[0], writers.genesis)
    await engine.start()
    memory = Memory(directory, writers.keys[0])
    follower = Follower(engine, memory)
    await follower.start()
    try:
        report("writing")
        count = await write_all(engine, memory, writers, iter(texts))
        await follower.caught_up()
        report("indexing")
        return {"records": count, **await _time_indexing(memory, count)}
    finally:
        await follower.close()
        await memory.close()
        await engine.close()


async def _time_indexing(memory: Memory, count: int) -> dict[str, Any]:
    """From records to words, vectors and quantities, as a node catches up; and how long the event loop was held."""
    # Both as a node does before it answers anybody.
    favour_the_event_loop()
    spare_the_garbage_collector()
    late_ms: list[float] = []
    watch = asyncio.create_task(watch_event_loop(late_ms))
    await asyncio.sleep(_IDLE_SECONDS)
    idle_ms = max(late_ms)
    elsewhere_ms: list[float] = []
    async with watched_elsewhere(elsewhere_ms):
        late_ms.clear()
        memory.start_search(EMBEDDER, "auto")
        await memory.search_ready()
        opening_ms = max(late_ms)
        gc.freeze()  # as a node does then
        await asyncio.sleep(TICK_SECONDS)
        late_ms.clear()
        started = time.perf_counter()
        await memory.indexed()
        indexed = time.perf_counter()
        await memory.optimised()
        optimised = time.perf_counter()
        watch.cancel()
    return {
        "vector_index": "exact" if count < EXACT_LIMIT else "edge",
        "index_per_s": int(count / (indexed - started)),
        "optimise_s": round(optimised - indexed, 2),
        "event_loop_stall_ms_max_idle": round(idle_ms, 3),
        "event_loop_stall_ms_max_opening": round(opening_ms, 3),
        "event_loop_stall_ms_max": round(max(late_ms), 3),
        "event_loop_stall_ms_p999": percentile(late_ms, 99.9),
        "event_loop_stall_ms_max_elsewhere": round(max(elsewhere_ms), 3),
        "event_loop_stall_ms_p999_elsewhere": percentile(elsewhere_ms, 99.9),
    }


def _read_through(directory: Path) -> None:
    """Have the records in the system's cache, as where they are searched all the time. While a graph was built nobody
    has asked for them, and what is measured is not the disk."""
    for path in directory.glob("memory.db*"):
        with path.open("rb", buffering=0) as file:
            while file.read(_READ_BYTES):
                pass


async def _measure_search(
    directory: Path, shard_directory: Path, queries: Sequence[str], writers: Writers
) -> dict[str, float]:
    """Searches, and the engine alone, in turns. Timed minutes apart they would tell more of the machine, whose speed
    changes; and an engine that nothing interrupts finds its data in the processor's caches, where no search does."""
    await asyncio.to_thread(_read_through, directory)
    private = SearchFilter(own_threads=writers.private_threads_of_the_first())
    embedder = await load_embedder(EMBEDDER)
    asked = [*_warming_up(queries), *queries]
    requests = dict(zip(asked, map(_request, await embedder.embed(asked)), strict=True))
    await embedder.aclose()
    memory, shard = Memory(directory, writers.keys[0]), Shard(shard_directory, embedder.dimensions)

    async def ask_engine(query: str) -> None:
        shard.answer(requests[query])

    try:
        memory.start_search(EMBEDDER, "auto")
        await memory.indexed()
        gc.freeze()
        return await _time_in_turns(
            queries,
            search=lambda query: memory.search(query, _EVERYTHING_PUBLIC, K),
            search_private=lambda query: memory.search(query, private, K),
            raw_engine=ask_engine,
        )
    finally:
        shard.close()
        await memory.close()


def _request(vector: Vector) -> Search:
    return Search(vector.astype("<f4").tobytes(), _EVERYTHING_PUBLIC, K, None)


def _warming_up(queries: Sequence[str]) -> list[str]:
    return [f"{query} ." for query in queries[:_WARM_UP]]


async def _time_in_turns(queries: Sequence[str], **asked: Callable[[str], Awaitable[object]]) -> dict[str, float]:
    """Each query to each of ``asked``, in every order in turn: the machine, and what one leaves behind for the next,
    are the same for all. Some before, which do not count."""
    orders = itertools.cycle(itertools.permutations(asked.items()))
    times_ms: dict[str, list[float]] = {name: [] for name in asked}
    warm_up = _warming_up(queries)
    for query in [*warm_up, *queries]:
        for name, ask in next(orders):
            started = time.perf_counter()
            await ask(query)
            times_ms[name].append((time.perf_counter() - started) * 1000)
    return {
        figure: value
        for name, times in times_ms.items()
        for figure, value in _latencies(name, times[len(warm_up) :]).items()
    }


async def _measure_engine(
    directory: Path, shard_directory: Path, queries: Sequence[str], node_key: SigningKey
) -> dict[str, Any]:
    """The vector index that the node left behind: how many of the exact scan's ten it finds. And the vector engine and
    the exact scan without anything of ours around them, whichever of the two the node has chosen. Leaves the engine's
    files in ``shard_directory``."""
    embedder = await load_embedder(EMBEDDER)
    vectors = await embedder.embed(queries)
    await embedder.aclose()
    async with open_indexer(directory, node_key, EMBEDDER) as indexer:
        exact = ExactIndex(indexer.embeddings.dimensions)
        points: list[Point] = []
        async for batch in indexer.points():
            points += batch
        await exact.upsert(points)
        found = best = await _find(exact, vectors)
        scan_ms = await _time_scan(exact, vectors)
        await exact.aclose()
        if (directory / "vectors").exists():
            edge = await EdgeIndex.open(
                directory / "vectors", indexer.embeddings.embedder, exact.dimensions, indexer.points
            )
            await edge.wait_until_ready()
            found = await _find(edge, vectors)
            await edge.aclose()
    kept = next((directory / "vectors").glob("generation-*"), None)
    if kept:
        shutil.copytree(kept, shard_directory)
    else:
        _make_shard(shard_directory, points)
    engine_ms = _time_shard(shard_directory, vectors)
    recalls = [len(a & b) / len(b) for a, b in zip(found, best, strict=True) if b]
    figures = {"recall_at_10": round(float(np.mean(recalls)), 4)}
    return figures | _latencies("raw_engine_back_to_back", engine_ms) | _latencies("raw_scan", scan_ms)


async def _find(index: VectorIndex, vectors: Vectors) -> list[set[int]]:
    hits = [await index.search(vector, _EVERYTHING_PUBLIC, K) for vector in vectors]
    return [{point_id for point_id, _ in found} for found in hits]


async def _time_scan(index: ExactIndex, vectors: Vectors) -> list[float]:
    times_ms: list[float] = []
    for vector in vectors:
        started = time.perf_counter()
        await index.search(vector, _EVERYTHING_PUBLIC, K)
        times_ms.append((time.perf_counter() - started) * 1000)
    return times_ms


def _make_shard(directory: Path, points: Sequence[Point]) -> None:
    """The engine at its best where the node has chosen another index."""
    shard = Shard(directory, len(points[0].vector))
    for start in range(0, len(points), WIRE_BATCH):
        shard.answer(Upsert([wire_point(point) for point in points[start : start + WIRE_BATCH]]))
    shard.answer(Optimise())
    shard.close()


def _time_shard(directory: Path, vectors: Vectors) -> list[float]:
    """The engine in this process: no socket, no event loop, and nothing between two questions."""
    shard = Shard(directory, vectors.shape[1])
    times_ms: list[float] = []
    for request in map(_request, vectors):
        started = time.perf_counter()
        shard.answer(request)
        times_ms.append((time.perf_counter() - started) * 1000)
    shard.close()
    return times_ms


async def _measure_rest(directory: Path, queries: Sequence[str], writers: Writers) -> dict[str, Any]:
    """Search through a node in a process of its own, signed out and signed in; and the memory of node and index."""
    async with (
        running_node(directory, "--searches-per-hour", "3600000") as url,
        Client(url, retry_delays_seconds=()) as stranger,
        Client(url, retry_delays_seconds=()) as author,
    ):
        await author.sign_in(writers.keys[0])
        figures: dict[str, Any] = await _time_in_turns(
            queries,
            rest_search=lambda query: stranger.search(query, k=K),
            rest_search_private=lambda query: author.search(query, k=K),
        )
        figures["rss_mb"] = rss_mb()
    return figures


def _latencies(name: str, times_ms: Sequence[float]) -> dict[str, float]:
    return {f"{name}_ms_p50": percentile(times_ms, 50), f"{name}_ms_p99": percentile(times_ms, 99)}


def percentile(values: Sequence[float], rank: float) -> float:
    """The value that ``rank`` percent of the values do not exceed, rounded to µs."""
    return round(float(np.percentile(values, rank, method="higher")), 3)
