"""The stored embeddings: can they be read, are they unit vectors, and is each thread's centroid their sum?"""

import sqlite3
from collections.abc import Iterator
from itertools import groupby
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from choir.memory.privacy import Level
from choir.memory.sealing import SealingError
from choir.memory.vault import Vault
from choir.memory.vector_index import Vector

_LENGTH_TOLERANCE: Final = 1e-3  # what the indexes take
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
        connection.execute(
            "INSERT OR REPLACE INTO centroid VALUES (?, ?, ?, ?)",
            (centroid.thread_id, self._embedder.name, centroid.total.astype("<f8").tobytes(), centroid.messages),
        )

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
        if not isinstance(data, bytes):
            return "its embedding is not bytes"
        size = 4 * self._embedder.dimensions
        if len(data) != size:
            try:
                data = self._vault.open_bytes(connection, thread_id, content_hash, data)
            except SealingError as error:
                return f"its embedding cannot be opened: {error}"
        if len(data) != size:
            return f"its embedding has {len(data)} bytes, not {size}"
        vector: Vector = np.frombuffer(data, dtype="<f4")
        with np.errstate(over="ignore", invalid="ignore"):
            is_unit = abs(float(np.dot(vector, vector)) - 1.0) < _LENGTH_TOLERANCE  # False for NaN
        return vector if is_unit else "its embedding is not a vector of length 1"
