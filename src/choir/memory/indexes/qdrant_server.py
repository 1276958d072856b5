"""A Qdrant server or cluster by URL, through `qdrant-client`: for memories larger than one machine."""

import asyncio
import warnings
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Any, TypeVar

from qdrant_client import AsyncQdrantClient, models
from qdrant_client.http.exceptions import ApiException

from choir.memory.vector_index import (
    ENCRYPTED,
    IndexTooSlow,
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
CALL_SECONDS = 10.0
SEARCH_SECONDS = 5.0  # somebody waits, and keywords alone find something too
WRITE_BATCH = 500
HNSW_EF = 256
INDEXED_FIELDS = {
    "thread_id": models.PayloadSchemaType.KEYWORD,
    "author": models.PayloadSchemaType.KEYWORD,
    "privacy": models.PayloadSchemaType.KEYWORD,
    "created_at_ms": models.PayloadSchemaType.INTEGER,
}
IN_MEMORY = ":memory:"


class QdrantServerIndex:
    """One collection. Writes return once the server has applied them."""

    def __init__(self, client: AsyncQdrantClient, collection: str, dimensions: int) -> None:
        self.dimensions = dimensions
        self._client = client
        self._collection = collection

    @classmethod
    async def open(
        cls, url: str, collection: str, dimensions: int, *, api_key: str | None = None
    ) -> "QdrantServerIndex":
        """Creates a missing collection. Raises ValueError if it holds another number of dimensions.

        `:memory:` runs the client's own small engine in this process instead of a server.
        """
        client = AsyncQdrantClient(IN_MEMORY) if url == IN_MEMORY else _client(url, api_key)
        index = cls(client, collection, dimensions)
        try:
            await index._prepare()
        except BaseException:
            await client.close()
            raise
        return index

    @classmethod
    async def recreate(
        cls, url: str, collection: str, dimensions: int, *, api_key: str | None = None
    ) -> "QdrantServerIndex":
        """Drop the collection, whatever it holds, and begin an empty one."""
        client = _client(url, api_key)
        index = cls(client, collection, dimensions)
        try:
            await index._call(lambda: client.delete_collection(collection))
            await index._prepare()
        except BaseException:
            await client.close()
            raise
        return index

    async def upsert(self, points: Sequence[Point]) -> None:
        checked_points(points, self.dimensions)
        for start in range(0, len(points), WRITE_BATCH):
            batch = [_point(point) for point in points[start : start + WRITE_BATCH]]
            await self._call(partial(self._client.upsert, self._collection, batch, wait=True))

    async def set_privacy(self, point_ids: Sequence[int], level: str) -> None:
        if not point_ids:
            return
        present = models.Filter(must=[models.HasIdCondition(has_id=list(point_ids))])
        await self._call(
            lambda: self._client.set_payload(self._collection, {"privacy": level}, points=present, wait=True)
        )

    async def delete(self, point_ids: Sequence[int]) -> None:
        if not point_ids:
            return
        selector = models.PointIdsList(points=list(point_ids))
        await self._call(lambda: self._client.delete(self._collection, selector, wait=True))

    async def search(
        self, vector: Vector, search_filter: SearchFilter, k: int, among: Sequence[int] | None = None
    ) -> list[ScoredId]:
        checked_vector(vector, self.dimensions)
        if search_filter.finds_nothing or k <= 0 or (among is not None and not len(among)):
            return []
        response = await self._call(
            lambda: self._client.query_points(
                self._collection,
                query=vector.tolist(),
                query_filter=_filter(search_filter, among),
                limit=k,
                search_params=models.SearchParams(hnsw_ef=max(HNSW_EF, k), exact=among is not None),
                with_payload=False,
            ),
            SEARCH_SECONDS,
        )
        return ranked([int(p.id) for p in response.points], [p.score for p in response.points], k)

    def ask(self, vector: Vector, search_filter: SearchFilter, k: int) -> None:
        """A server answers in its own time, and several at once: no thread is to wait for it."""

    async def count(self) -> int:
        return (await self._call(lambda: self._client.count(self._collection, exact=True))).count

    async def optimise(self) -> None:
        """The server optimises by itself."""

    async def flush(self) -> None:
        """The server keeps a write-ahead log: what it acknowledged is on disk."""

    async def aclose(self) -> None:
        await self._client.close()

    async def _prepare(self) -> None:
        if not await self._call(lambda: self._client.collection_exists(self._collection)):
            vectors = models.VectorParams(size=self.dimensions, distance=models.Distance.DOT)
            await self._call(lambda: self._client.create_collection(self._collection, vectors_config=vectors))
        for field, kind in INDEXED_FIELDS.items():  # again, lest a crash between the two has left it without
            await self._call(partial(self._index_field, field, kind))
        info = await self._call(lambda: self._client.get_collection(self._collection))
        vectors_now = info.config.params.vectors
        found = vectors_now.size if isinstance(vectors_now, models.VectorParams) else None
        if found != self.dimensions:
            raise ValueError(f"collection {self._collection} holds {found} dimensions, not {self.dimensions}: reembed")

    async def _index_field(self, field: str, kind: models.PayloadSchemaType) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # the in-memory engine says that it needs no field index
            await self._client.create_payload_index(self._collection, field, kind, wait=True)

    async def _call(self, call: Callable[[], Awaitable[Result]], limit_seconds: float | None = None) -> Result:
        seconds = CALL_SECONDS if limit_seconds is None else limit_seconds
        try:
            async with asyncio.timeout(seconds):
                return await call()
        except TimeoutError as error:
            raise IndexTooSlow(f"Qdrant did not answer within {seconds:g} s") from error
        except (ApiException, OSError) as error:
            raise IndexUnavailable(f"Qdrant refused or is down: {type(error).__name__}") from error
        except RuntimeError as error:  # what the client raises after it was closed
            raise IndexUnavailable("the index is closed") from error


def _client(url: str, api_key: str | None) -> AsyncQdrantClient:
    with warnings.catch_warnings():
        # That a key goes over http: the server may stand on this machine, or behind what encrypts.
        warnings.filterwarnings("ignore", "Api key is used with an insecure connection", UserWarning)
        return AsyncQdrantClient(url=url, api_key=api_key, timeout=int(CALL_SECONDS), check_compatibility=False)


def _point(point: Point) -> models.PointStruct:
    payload: dict[str, Any] = {
        "thread_id": point.thread_id,
        "author": point.author,
        "created_at_ms": point.created_at_ms,
        "privacy": point.privacy,
    }
    return models.PointStruct(id=point.point_id, vector=point.vector.tolist(), payload=payload)


def _filter(wanted: SearchFilter, among: Sequence[int] | None) -> models.Filter:
    readable: list[models.Condition] = []
    if wanted.readable_levels:
        readable.append(_any("privacy", wanted.readable_levels))
    if wanted.own_threads:
        readable.append(_any("thread_id", wanted.own_threads))
    must: list[models.Condition] = [models.Filter(should=readable)]
    if among is not None:
        must.append(models.HasIdCondition(has_id=list(among)))
    if wanted.thread_id is not None:
        must.append(_any("thread_id", {wanted.thread_id}))
    if wanted.author is not None:
        must.append(_any("author", {wanted.author}))
    if wanted.privacy is not None:
        must.append(_any("privacy", {wanted.privacy}))
    if wanted.since_ms is not None or wanted.until_ms is not None:
        window = models.Range(gte=wanted.since_ms, lt=wanted.until_ms)
        must.append(models.FieldCondition(key="created_at_ms", range=window))
    return models.Filter(must=must, must_not=[_any("privacy", {ENCRYPTED})])


def _any(field: str, values: frozenset[str] | set[str]) -> models.FieldCondition:
    return models.FieldCondition(key=field, match=models.MatchAny(any=sorted(values)))
