"""Embeddings beside their records, in clear or sealed like the text they come from; and each thread's centroid.

Both are derived, so one that cannot be used (of a wrong size, not to be unsealed, no finite vector of length 1) counts
as missing: it stops nothing, is told once, and is made anew.
"""

import sqlite3
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

import msgspec
import numpy as np
import structlog
from numpy.typing import NDArray

from choir.memory.courtesy import courteous
from choir.memory.database import Database
from choir.memory.privacy import Level
from choir.memory.sealing import SealingError
from choir.memory.vault import Vault
from choir.memory.vector_index import (
    UNIT_TOLERANCE,
    Point,
    ScoredId,
    SearchFilter,
    Vector,
    has_length_one,
    ranked,
)

_BATCH: Final = 500
_COLUMNS: Final = "id, content_hash, thread_id, author, created_at_ms, privacy, priors, embedding"

_log = structlog.get_logger("choir.memory")


class UnusableEmbedding(Exception):
    """A stored embedding is none of the embedder; the message says why."""


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
        # Told, from whatever thread, that `drop_unusable` has something to do.
        self.on_unusable: Callable[[], None] = lambda: None
        self._unusable: set[int] = set()
        self._told: set[int] = set()

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
        """Delete a record's embedding, usable or not, and take it out of its thread's centroid."""
        row = connection.execute(
            "SELECT content_hash, thread_id, embedding FROM record WHERE id = ? AND embedder = ?"
            " AND embedding IS NOT NULL",
            (record_id, self.embedder),
        ).fetchone()
        connection.execute("UPDATE record SET embedding = NULL, embedder = NULL WHERE id = ?", (record_id,))
        if row is None:
            return
        content_hash, thread_id, data = row
        vector = self._opened(connection, content_hash, thread_id, data)
        if vector is None:  # it cannot be subtracted
            self._make_centroid(connection, thread_id)
        else:
            self._add_to_centroid(connection, thread_id, vector, -1)

    @property
    def has_unusable(self) -> bool:
        """Whether a reader has come upon an embedding that cannot be used."""
        return bool(self._unusable)

    def drop_unusable(self, connection: sqlite3.Connection) -> list[int]:
        """Delete those that readers could not use, and make their threads' centroids from the rest. Returns the ids of
        their records, which are to be embedded anew."""
        dropped: list[int] = []
        threads: set[str] = set()
        for record_id in sorted(self._unusable):
            self._unusable.discard(record_id)
            row = connection.execute(
                "SELECT content_hash, thread_id, embedding FROM record WHERE id = ? AND embedder = ?"
                " AND embedding IS NOT NULL",
                (record_id, self.embedder),
            ).fetchone()
            if row is None or self._opened(connection, *row) is not None:
                continue  # it was made anew meanwhile
            connection.execute("UPDATE record SET embedding = NULL, embedder = NULL WHERE id = ?", (record_id,))
            dropped.append(record_id)
            threads.add(row[1])
        for thread_id in sorted(threads):
            self._make_centroid(connection, thread_id)
        return dropped

    def is_damaged(self, connection: sqlite3.Connection, content_hash: str) -> bool:
        """Whether a message has an embedding that cannot be used. Only looks: nothing is made anew for it."""
        row = connection.execute(
            "SELECT thread_id, embedding FROM record WHERE content_hash = ? AND embedder = ? AND embedding IS NOT NULL",
            (content_hash, self.embedder),
        ).fetchone()
        return row is not None and self._opened(connection, content_hash, *row) is None

    def count_of_others(self) -> int:
        """Messages whose embedding is of another embedder: they are found by their words only. Blocks on the file."""
        row = self._database.reader().execute(
            "SELECT count(*) FROM record WHERE embedder != ? AND status = 'approved'", (self.embedder,)
        )
        return int(row.fetchone()[0])

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
            vector = self._vector(connection, row[0], row[1], row[2], row[7])
            if vector is not None:
                found[row[1]] = Embedded(vector, tuple(msgspec.json.decode(row[6])))
        return found

    def points_after(self, record_id: int) -> list[Point]:
        """The next points of the vector index, by record id. Blocks on the file."""
        reader = self._database.reader()
        while True:
            rows = reader.execute(
                f"SELECT {_COLUMNS} FROM record WHERE id > ? AND embedder = ? AND embedding IS NOT NULL"  # noqa: S608
                " ORDER BY id LIMIT ?",
                (record_id, self.embedder, _BATCH),
            )
            points: list[Point] = []
            is_end = True
            for row in courteous(rows):
                is_end, record_id = False, row[0]
                vector = self._vector(reader, row[0], row[1], row[2], row[7])
                if vector is not None:
                    points.append(Point(row[0], vector, row[2], row[3], row[4], row[5]))
            if points or is_end:  # a batch of nothing usable is not the end
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
                clear = self._bytes(reader, content_hash, thread_id, data)
                if clear is None:
                    self._note(record_id)
                else:
                    ids.append(record_id)
                    vectors.append(clear)
        table = np.frombuffer(b"".join(vectors), dtype="<f4").reshape(len(ids), self.dimensions)
        with np.errstate(all="ignore"):
            scores = np.vecdot(table, vector)
            # Together, since one at a time takes as long as all else here; NaN is not near 1 either.
            usable = np.abs(np.vecdot(table, table) - 1.0) < UNIT_TOLERANCE
        if not usable.all():
            for place in np.flatnonzero(~usable).tolist():
                self._note(ids[place])
            ids, scores = np.array(ids)[usable].tolist(), scores[usable]
        return ranked(ids, scores, len(ids))

    def centroid(self, connection: sqlite3.Connection, thread_id: str) -> Vector:
        """The mean embedding of a thread's messages; zeros for a thread without any."""
        total, messages = self._total(connection, thread_id) or (np.zeros(self.dimensions), 0)
        mean: Vector = (total / max(messages, 1)).astype(np.float32)
        return mean

    def _add_to_centroid(self, connection: sqlite3.Connection, thread_id: str, vector: Vector, sign: int) -> None:
        """After the change of the record that it goes with."""
        found = self._total(connection, thread_id)
        if found is None:
            self._make_centroid(connection, thread_id)
        else:
            write_centroid(connection, self.embedder, thread_id, found[0] + sign * vector, found[1] + sign)

    def _make_centroid(self, connection: sqlite3.Connection, thread_id: str) -> None:
        """From the embeddings of the thread's messages, as they are stored now."""
        total, messages = np.zeros(self.dimensions), 0
        rows = connection.execute(
            "SELECT id, content_hash, embedding FROM record WHERE thread_id = ? AND seq IS NOT NULL AND embedder = ?"
            " AND embedding IS NOT NULL",
            (thread_id, self.embedder),
        )
        for record_id, content_hash, data in courteous(rows):
            vector = self._vector(connection, record_id, content_hash, thread_id, data)
            if vector is not None:
                total, messages = total + vector, messages + 1
        write_centroid(connection, self.embedder, thread_id, total, messages)

    def _total(self, connection: sqlite3.Connection, thread_id: str) -> tuple[NDArray[np.float64], int] | None:
        """The sum of a thread's embeddings and how many there are; None for one that is missing or makes no sense."""
        row = connection.execute(
            "SELECT total, messages FROM centroid WHERE thread_id = ? AND embedder = ?", (thread_id, self.embedder)
        ).fetchone()
        if row is None or not isinstance(row[0], bytes) or len(row[0]) != 8 * self.dimensions:
            return None
        total: NDArray[np.float64] = np.frombuffer(row[0], dtype="<f8")
        if not isinstance(row[1], int) or row[1] < 0:
            return None
        # Of vectors of length 1; with NaN in it, it is not.
        is_sum = bool(np.abs(total).max() <= row[1] + 1)
        return (total, row[1]) if is_sum else None

    def _vector(
        self, connection: sqlite3.Connection, record_id: int, content_hash: str, thread_id: str, data: object
    ) -> Vector | None:
        """An embedding that can be used. Of any other the id is kept for `drop_unusable`."""
        vector = None if data is None else self._opened(connection, content_hash, thread_id, data)
        if vector is None and data is not None:
            self._note(record_id)
        return vector

    def _note(self, record_id: int) -> None:
        if record_id not in self._told:  # a reader that began before it was dropped comes upon it again
            self._told.add(record_id)
            _log.warning("an embedding cannot be used, the message is to be embedded anew", record_id=record_id)
        if record_id not in self._unusable:
            self._unusable.add(record_id)
            self.on_unusable()

    def _opened(self, connection: sqlite3.Connection, content_hash: str, thread_id: str, data: object) -> Vector | None:
        """The vector; None where these bytes are none of this embedder."""
        clear = self._bytes(connection, content_hash, thread_id, data)
        if clear is None:
            return None
        vector: Vector = np.frombuffer(clear, "<f4")
        return vector if has_length_one(vector) else None

    def _bytes(self, connection: sqlite3.Connection, content_hash: str, thread_id: str, data: object) -> bytes | None:
        """The vector in clear, if it has the right length."""
        try:
            return bytes_in_clear(self._vault, connection, thread_id, content_hash, data, self.dimensions)
        except UnusableEmbedding:
            return None


def bytes_in_clear(
    vault: Vault, connection: sqlite3.Connection, thread_id: str, content_hash: str, data: object, dimensions: int
) -> bytes:
    """A stored embedding, unsealed where it is sealed: as many 4-byte floats as the embedder has dimensions. Raises
    ``UnusableEmbedding``, which says why."""
    if not isinstance(data, bytes):
        raise UnusableEmbedding("its embedding is not bytes")
    size_bytes = 4 * dimensions
    if len(data) != size_bytes:
        try:
            data = vault.open_bytes(connection, thread_id, content_hash, data)
        except SealingError as error:
            raise UnusableEmbedding(f"its embedding cannot be opened: {error}") from error
    if len(data) != size_bytes:
        raise UnusableEmbedding(f"its embedding has {len(data)} bytes, not {size_bytes}")
    return data


def write_centroid(
    connection: sqlite3.Connection, embedder: str, thread_id: str, total: NDArray[np.float64], messages: int
) -> None:
    """Store the sum of a thread's embeddings, and of how many it is."""
    connection.execute(
        "INSERT OR REPLACE INTO centroid VALUES (?, ?, ?, ?)",
        (thread_id, embedder, total.astype("<f8").tobytes(), messages),
    )
