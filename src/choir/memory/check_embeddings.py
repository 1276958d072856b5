"""The stored embeddings: can they be read, are they unit vectors, and is each thread's centroid their sum?"""

import sqlite3
from collections.abc import Iterator
from itertools import groupby
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from choir.memory.embeddings_store import UnusableEmbedding, bytes_in_clear, write_centroid
from choir.memory.privacy import Level
from choir.memory.vault import Vault
from choir.memory.vector_index import Vector, has_length_one

_SUM_TOLERANCE: Final = 1e-6


class EmbedderFacts(NamedTuple):
    """Of the configured embedder: NAME@VERSION, and the length of its vectors."""

    name: str
    dimensions: int


class Centroid(NamedTuple):
    """What a thread's centroid should be."""

    thread_id: str
    total: NDArray[np.float64]
    messages: int


class EmbeddingCheck:
    def __init__(self, vault: Vault, embedder: EmbedderFacts) -> None:
        self._vault = vault
        self._embedder = embedder

    def find_problem(self, connection: sqlite3.Connection, row: sqlite3.Row) -> str | None:
        """What is wrong with the embedding of a record, which should have one."""
        if row["embedding"] is None or row["embedder"] != self._embedder.name:
            return f"its embedding is of {row['embedder'] or 'no embedder'}"
        vector = self._read(connection, row["thread_id"], row["content_hash"], row["embedding"])
        if isinstance(vector, str):
            return vector
        is_sealed = len(row["embedding"]) != 4 * self._embedder.dimensions
        if is_sealed != (row["privacy"] == Level.THREAD):
            return "its embedding is sealed" if is_sealed else "its embedding lies in clear beside a sealed text"
        return None

    def wrong_centroids(self, connection: sqlite3.Connection) -> Iterator[Centroid]:
        """What the centroids should be that are something else. Embeddings that cannot be read count as absent."""
        rows = connection.execute(
            "SELECT thread_id, content_hash, embedding FROM record"
            " WHERE seq IS NOT NULL AND embedder = ? AND embedding IS NOT NULL ORDER BY thread_id, seq",
            (self._embedder.name,),
        )
        for thread_id, group in groupby(rows, key=lambda row: row[0]):
            total, messages = np.zeros(self._embedder.dimensions), 0
            for _, content_hash, data in group:
                vector = self._read(connection, thread_id, content_hash, data)
                if not isinstance(vector, str):
                    total, messages = total + vector, messages + 1
            if not self._is_stored(connection, thread_id, total, messages):
                yield Centroid(thread_id, total, messages)
        rows = connection.execute(
            "SELECT thread_id FROM centroid WHERE embedder = ? AND messages != 0 AND NOT EXISTS (SELECT 1 FROM record"
            " WHERE record.thread_id = centroid.thread_id AND seq IS NOT NULL AND embedder = centroid.embedder"
            " AND embedding IS NOT NULL)",
            (self._embedder.name,),
        )
        for (thread_id,) in rows:
            yield Centroid(thread_id, np.zeros(self._embedder.dimensions), 0)

    def put_centroid(self, connection: sqlite3.Connection, centroid: Centroid) -> None:
        """Store what a centroid should be."""
        write_centroid(connection, self._embedder.name, *centroid)

    def _is_stored(
        self, connection: sqlite3.Connection, thread_id: str, total: NDArray[np.float64], messages: int
    ) -> bool:
        row = connection.execute(
            "SELECT total, messages FROM centroid WHERE thread_id = ? AND embedder = ?",
            (thread_id, self._embedder.name),
        ).fetchone()
        if row is None:
            return messages == 0
        stored, count = row
        if count != messages or not isinstance(stored, bytes) or len(stored) != total.nbytes:
            return False
        return bool(np.allclose(np.frombuffer(stored, dtype="<f8"), total, rtol=0, atol=_SUM_TOLERANCE))

    def _read(self, connection: sqlite3.Connection, thread_id: str, content_hash: str, data: object) -> Vector | str:
        """The vector in clear, or why there is none."""
        try:
            clear = bytes_in_clear(self._vault, connection, thread_id, content_hash, data, self._embedder.dimensions)
        except UnusableEmbedding as error:
            return str(error)
        vector: Vector = np.frombuffer(clear, dtype="<f4")
        return vector if has_length_one(vector) else "its embedding is not a vector of length 1"
