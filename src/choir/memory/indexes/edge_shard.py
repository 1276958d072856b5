"""One Qdrant Edge shard, spoken to in our own terms.

Blocks and holds the interpreter lock: only for its own process.
"""

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
from choir.memory.vector_index import ENCRYPTED, SearchFilter, ranked

# Measured on 100,000 embedded sentences: see docs of the bench. `ef` is what trades time for recall.
HNSW_EF = 256
HNSW = edge.HnswIndexConfig(m=16, ef_construct=128, full_scan_threshold=10_000, max_indexing_threads=1)
OPTIMIZERS = edge.EdgeOptimizersConfig(default_segment_number=1, indexing_threshold=10_000)
INDEXED_FIELDS = {
    "thread_id": edge.PayloadSchemaType.Keyword,
    "author": edge.PayloadSchemaType.Keyword,
    "privacy": edge.PayloadSchemaType.Keyword,
    "created_at_ms": edge.PayloadSchemaType.Integer,
}


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
                present = edge.Filter(must=[edge.HasIdCondition(set(request.point_ids))])
                self._shard.update(edge.UpdateOperation.set_payload_by_filter(present, {"privacy": request.level}))
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


def _point(point: WirePoint) -> edge.Point:
    payload = {
        "thread_id": point.thread_id,
        "author": point.author,
        "created_at_ms": point.created_at_ms,
        "privacy": point.privacy,
    }
    return edge.Point(point.point_id, np.frombuffer(point.vector, dtype="<f4").tolist(), payload)


def _filter(wanted: SearchFilter, among: list[int] | None) -> edge.Filter:
    readable: list[edge.ConditionType] = []
    if wanted.readable_levels:
        readable.append(_any("privacy", wanted.readable_levels))
    if wanted.own_threads:
        readable.append(_any("thread_id", wanted.own_threads))
    must: list[edge.ConditionType] = [edge.Filter(should=readable)] if len(readable) > 1 else readable
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
    return edge.Filter(must=must, must_not=[_any("privacy", {ENCRYPTED})])


def _any(field: str, values: frozenset[str] | set[str]) -> edge.FieldCondition:
    return edge.FieldCondition(field, match=edge.MatchAny(sorted(values)))
