"""Embeddings beside their records, in clear or sealed like the text they come from; and each thread's centroid."""

import sqlite3
from collections.abc import Sequence
from typing import Final, NamedTuple

import msgspec
import numpy as np

from choir.memory.courtesy import courteous
from choir.memory.database import Database
from choir.memory.privacy import Level
from choir.memory.vault import Vault
from choir.memory.vector_index import Point, ScoredId, SearchFilter, Vector, ranked

_BATCH: Final = 500
_COLUMNS: Final = "id, content_hash, thread_id, author, created_at_ms, privacy, priors, embedding"


class Embedded(NamedTuple):
    """A message's embedding and what it cites."""

    vector: Vector
    priors: tuple[str, ...]


class EmbeddingStore:
    """Reads and writes embeddings of one embedder; those of another count as missing."""

    def __init__(self, database: Database, vault: Vault, embedder: str, dimensions: int) -> None:
        self._database = database
        self._vault = vault
        self.embedder = embedder
        self.dimensions = dimensions

    def put(self, connection: sqlite3.Connection, record_id: int, vector: Vector) -> None:
        """Store an embedding and count it in its thread's centroid."""
        self.forget(connection, record_id)
        row = connection.execute(
            "SELECT content_hash, thread_id, privacy FROM record WHERE id = ?", (record_id,)
        ).fetchone()
        content_hash, thread_id, privacy = row
        data = np.asarray(vector, dtype="<f4").tobytes()
        if privacy == Level.THREAD:
            data = self._vault.seal_bytes(connection, thread_id, content_hash, data)
        connection.execute(
            "UPDATE record SET embedding = ?, embedder = ? WHERE id = ?", (data, self.embedder, record_id)
        )
        self._add_to_centroid(connection, thread_id, vector, 1)

    def forget(self, connection: sqlite3.Connection, record_id: int) -> None:
        """Delete a record's embedding, and take it out of its thread's centroid."""
        row = connection.execute(
            f"SELECT {_COLUMNS} FROM record WHERE id = ? AND embedder = ?",  # noqa: S608  a constant
            (record_id, self.embedder),
        ).fetchone()
        if row is not None:
            vector = self._vector(connection, row[1], row[2], row[7])
            if vector is not None:
                self._add_to_centroid(connection, row[2], vector, -1)
        connection.execute("UPDATE record SET embedding = NULL, embedder = NULL WHERE id = ?", (record_id,))

    def of(self, connection: sqlite3.Connection, content_hashes: Sequence[str]) -> dict[str, Embedded]:
        """The embeddings of those messages that have one."""
        if not content_hashes:
            return {}
        marks = ",".join("?" * len(content_hashes))
        rows = connection.execute(
            f"SELECT {_COLUMNS} FROM record WHERE content_hash IN ({marks}) AND embedder = ?",  # noqa: S608  only marks
            (*content_hashes, self.embedder),
        ).fetchall()
        found: dict[str, Embedded] = {}
        for row in rows:
            vector = self._vector(connection, row[1], row[2], row[7])
            if vector is not None:
                found[row[1]] = Embedded(vector, tuple(msgspec.json.decode(row[6])))
        return found

    def points_after(self, record_id: int) -> list[Point]:
        """The next points of the vector index, by record id. Blocks on the file."""
        reader = self._database.reader()
        rows = reader.execute(
            f"SELECT {_COLUMNS} FROM record WHERE id > ? AND embedder = ? AND embedding IS NOT NULL"  # noqa: S608
            " ORDER BY id LIMIT ?",
            (record_id, self.embedder, _BATCH),
        )
        points: list[Point] = []
        for row in courteous(rows):
            vector = self._vector(reader, row[1], row[2], row[7])
            if vector is not None:
                points.append(Point(row[0], vector, row[2], row[3], row[4], row[5]))
        return points

    def similarities(self, vector: Vector, search_filter: SearchFilter, record_ids: Sequence[int]) -> list[ScoredId]:
        """Of those records that have an embedding and that the filter admits. Blocks on the file."""
        reader = self._database.reader()
        marks = ",".join("?" * len(record_ids))
        rows = reader.execute(
            "SELECT id, content_hash, thread_id, author, created_at_ms, privacy, embedding FROM record"  # noqa: S608
            f" WHERE id IN ({marks}) AND embedder = ?",
            (*record_ids, self.embedder),
        ).fetchall()
        ids: list[int] = []
        vectors: list[bytes] = []
        for record_id, content_hash, thread_id, author, created_at_ms, privacy, data in rows:
            if data is not None and search_filter.matches(thread_id, author, created_at_ms, privacy):
                ids.append(record_id)
                vectors.append(self._bytes(reader, content_hash, thread_id, data))
        table = np.frombuffer(b"".join(vectors), dtype="<f4").reshape(len(ids), self.dimensions)
        return ranked(ids, np.vecdot(table, vector), len(ids))

    def centroid(self, connection: sqlite3.Connection, thread_id: str) -> Vector:
        """The mean embedding of a thread's messages; zeros for a thread without any."""
        row = connection.execute(
            "SELECT total, messages FROM centroid WHERE thread_id = ? AND embedder = ?", (thread_id, self.embedder)
        ).fetchone()
        if row is None or row[1] == 0:
            return np.zeros(self.dimensions, dtype=np.float32)
        mean: Vector = (np.frombuffer(row[0], dtype="<f8") / row[1]).astype(np.float32)
        return mean

    def _add_to_centroid(self, connection: sqlite3.Connection, thread_id: str, vector: Vector, sign: int) -> None:
        row = connection.execute(
            "SELECT total, messages FROM centroid WHERE thread_id = ? AND embedder = ?", (thread_id, self.embedder)
        ).fetchone()
        total = np.zeros(self.dimensions) if row is None else np.frombuffer(row[0], dtype="<f8")
        messages = 0 if row is None else row[1]
        connection.execute(
            "INSERT OR REPLACE INTO centroid VALUES (?, ?, ?, ?)",
            (thread_id, self.embedder, (total + sign * vector).astype("<f8").tobytes(), messages + sign),
        )

    def _vector(
        self, connection: sqlite3.Connection, content_hash: str, thread_id: str, data: bytes | None
    ) -> Vector | None:
        return None if data is None else np.frombuffer(self._bytes(connection, content_hash, thread_id, data), "<f4")

    def _bytes(self, connection: sqlite3.Connection, content_hash: str, thread_id: str, data: bytes) -> bytes:
        """The vector in clear."""
        if len(data) == 4 * self.dimensions:
            return data
        return self._vault.open_bytes(connection, thread_id, content_hash, data)
