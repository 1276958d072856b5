"""One Qdrant Edge shard, spoken to in our own terms.

Blocks and holds the interpreter lock: only for its own process.
"""

import hashlib
from collections import defaultdict
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np
import qdrant_edge as edge

from choir.memory.indexes.edge_wire import (
    Count,
    Delete,
    Done,
    Flush,
    Hits,
    Optimise,
    Reply,
    Request,
    Search,
    SetPrivacy,
    Upsert,
    WirePoint,
)
from choir.memory.vector_index import ENCRYPTED, PUBLIC, SearchFilter, ranked

# Measured on 100,000 embedded sentences: see docs of the bench. `ef` is what trades time for recall.
HNSW_EF = 256
HNSW = edge.HnswIndexConfig(m=16, ef_construct=128, full_scan_threshold=10_000, max_indexing_threads=1)
OPTIMIZERS = edge.EdgeOptimizersConfig(default_segment_number=1, indexing_threshold=10_000)
INDEXED_FIELDS = {
    "thread_id": edge.PayloadSchemaType.Keyword,
    "author": edge.PayloadSchemaType.Keyword,
    "privacy": edge.PayloadSchemaType.Keyword,
    "created_at_ms": edge.PayloadSchemaType.Integer,
    "reader": edge.PayloadSchemaType.Uuid,
}
KNOWN_READERS = 65_536


class Shard:
    def __init__(self, directory: Path, dimensions: int) -> None:
        """Open what lies in `directory`, or begin there. The engine refuses a second opener."""
        if directory.exists():
            self._shard = edge.EdgeShard.load(str(directory))
            return
        directory.mkdir(parents=True)
        vectors = edge.EdgeVectorParams(size=dimensions, distance=edge.Distance.Dot)
        config = edge.EdgeConfig(vectors=vectors, hnsw_config=HNSW, optimizers=OPTIMIZERS, wal_enabled=False)
        self._shard = edge.EdgeShard.create(str(directory), config)
        for field, kind in INDEXED_FIELDS.items():
            self._shard.update(edge.UpdateOperation.create_field_index(field, kind))

    def answer(self, request: Request) -> Reply:
        match request:
            case Search():
                return Hits(self._search(request))
            case Upsert():
                self._shard.update(edge.UpdateOperation.upsert_points([_point(point) for point in request.points]))
            case SetPrivacy():
                self._set_privacy(request.point_ids, request.level)
            case Delete():
                self._shard.update(edge.UpdateOperation.delete_points([*request.point_ids]))
            case Count():
                return Done(self._shard.count(edge.CountRequest(exact=True)))
            case Optimise():
                return Done(int(self._shard.optimize()))
            case Flush():
                self._shard.flush()
        return Done()

    def close(self) -> None:
        self._shard.close()

    def _search(self, request: Search) -> list[tuple[int, float]]:
        if request.search_filter.finds_nothing or request.k <= 0 or request.among == []:
            return []
        query = edge.QueryRequest(
            query=edge.Query.Nearest(np.frombuffer(request.vector, dtype="<f4").tolist()),
            filter=_filter(request.search_filter, request.among),
            limit=request.k,
            params=edge.SearchParams(hnsw_ef=max(HNSW_EF, request.k), exact=request.among is not None),
        )
        found = self._shard.query(query)
        return ranked([int(point.id) for point in found], [point.score for point in found], request.k)

    def _set_privacy(self, point_ids: Sequence[int], level: str) -> None:
        by_reader: dict[str, list[edge.PointId]] = defaultdict(list)
        for found in self._shard.retrieve([*point_ids], with_payload=True, with_vector=False):
            assert found.payload is not None
            by_reader[_reader(level, found.payload["thread_id"])].append(found.id)
        for reader, ids in by_reader.items():
            self._shard.update(edge.UpdateOperation.set_payload(ids, {"privacy": level, "reader": reader}))


def _point(point: WirePoint) -> edge.Point:
    payload = {
        "thread_id": point.thread_id,
        "author": point.author,
        "created_at_ms": point.created_at_ms,
        "privacy": point.privacy,
        "reader": _reader(point.privacy, point.thread_id),
    }
    return edge.Point(point.point_id, np.frombuffer(point.vector, dtype="<f4").tolist(), payload)


def _filter(wanted: SearchFilter, among: list[int] | None) -> edge.Filter:
    readable = _readable(wanted)
    must: list[edge.ConditionType] = readable if len(readable) == 1 else [edge.Filter(should=readable)]
    if among is not None:
        must.append(edge.HasIdCondition(set(among)))
    if wanted.thread_id is not None:
        must.append(_any("thread_id", {wanted.thread_id}))
    if wanted.author is not None:
        must.append(_any("author", {wanted.author}))
    if wanted.privacy is not None:
        must.append(_any("privacy", {wanted.privacy}))
    if wanted.since_ms is not None or wanted.until_ms is not None:
        window = edge.RangeFloat(gte=wanted.since_ms, lt=wanted.until_ms)
        must.append(edge.FieldCondition("created_at_ms", range=window))
    return edge.Filter(must=must)


def _readable(wanted: SearchFilter) -> "list[edge.ConditionType]":  # a name of the stubs only
    """What makes a message readable. Mostly one condition, since it is asked of each message that the graph leads to:
    with one for the level and one for the thread, the engine took a quarter longer for a co-author."""
    readers = [_reader(PUBLIC, "")] if PUBLIC in wanted.levels else []  # first, since they are compared in this order
    readers += [_co_authors(thread_id) for thread_id in wanted.own_threads]
    readable: list[edge.ConditionType] = []
    if readers:
        readable.append(edge.FieldCondition("reader", match=edge.MatchAny(readers)))
    if levels := wanted.readable_levels - {PUBLIC}:
        readable.append(_any("privacy", levels))
    if wanted.own_threads and PUBLIC not in wanted.levels:
        readable.append(edge.Filter(must=[_any("thread_id", wanted.own_threads), _any("privacy", {PUBLIC})]))
    return readable


def _reader(level: str, thread_id: str) -> str:
    """Who may find a message, in one value: everybody, nobody, or its thread's co-authors. A UUID, which the engine
    compares as a number; a digest, so that no thread can be given an id that reads as everybody."""
    return _digest(level) if level in {PUBLIC, ENCRYPTED} else _co_authors(thread_id)


@lru_cache(KNOWN_READERS)
def _co_authors(thread_id: str) -> str:
    return _digest(f"thread {thread_id}")


def _digest(name: str) -> str:
    return hashlib.blake2b(name.encode(), digest_size=16).hexdigest()


def _any(field: str, values: frozenset[str] | set[str]) -> edge.FieldCondition:
    return edge.FieldCondition(field, match=edge.MatchAny(sorted(values)))
