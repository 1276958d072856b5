"""Keeps search in step with the records: keywords first, then embeddings, vectors and the semantic quantities.

A record's ``to_index`` says what is still to do, so a crash at any moment loses nothing: 1 keywords, 2 vectors, 0 done;
3 is a text that the embedder refuses, found by its words until it is to be embedded anew.
What must become less visible does not wait for its turn: `restrict` takes it out of every index at once.
"""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable, Sequence, Set
from functools import partial
from typing import Final, NamedTuple

import msgspec
import structlog

from choir.memory.courtesy import courteous
from choir.memory.database import Database
from choir.memory.embedding import Embedder, EmbeddingError, identity
from choir.memory.embeddings_store import EmbeddingStore
from choir.memory.keyword import KeywordEntry, KeywordIndex
from choir.memory.keyword_changes import KeywordChanges
from choir.memory.privacy import Level
from choir.memory.quantities import coherence, entanglement, phase, resonance, total_resonance
from choir.memory.refusals import embed_all, probe
from choir.memory.sealing import SealingError
from choir.memory.summary import summarise_limited
from choir.memory.vault import AtRest, Vault
from choir.memory.vector_index import IndexUnavailable, Point, Vector, VectorIndex

KEYWORDS, VECTORS, REFUSED = 1, 2, 3
_BATCH: Final = 64
_WAITING: Final = 5_000
_GATHER_SECONDS: Final = 0.05
_RETRY_SECONDS: Final = (1, 5, 30)

_log = structlog.get_logger("choir.memory")


class Entry(NamedTuple):
    """A record with something to index. ``text`` is None when it must not be found."""

    id: int
    content_hash: str
    thread_id: str
    author: str
    created_at_ms: int
    privacy: str
    priors: tuple[str, ...]
    text: str | None


class Indexer:
    """Runs for as long as the node does; `wake` tells it that there is work."""

    def __init__(self, database: Database, vault: Vault, embedder: Embedder, on_change: Callable[[], None]) -> None:
        self._database = database
        self._vault = vault
        self._embedder = embedder
        self._on_change = on_change
        self.keyword_changes = KeywordChanges()
        self.embeddings = EmbeddingStore(database, vault, identity(embedder), embedder.dimensions)
        self._news = asyncio.Event()
        self._idle = asyncio.Event()
        self._vectors: VectorIndex | None = None
        # Between reading a record's level and writing it to the vector index, `restrict` must wait.
        self._in_step = asyncio.Lock()
        self._optimising: asyncio.Task[None] | None = None
        database.write(lambda connection: self._keywords(connection).create_tables(), is_durable=False)

    def _keywords(self, connection: sqlite3.Connection) -> KeywordIndex:
        return KeywordIndex(connection, self._vault.term_key(), self.keyword_changes)

    def attach(self, vectors: VectorIndex) -> None:
        """The vector index to keep. It is opened with `points` as its source, so it comes second."""
        self._vectors = vectors
        loop = asyncio.get_running_loop()
        self.embeddings.on_unusable = lambda: _call_soon(loop, self.wake)

    async def join(self, vectors: VectorIndex) -> None:
        """`attach` an index that was filled while records changed, or that was away: first, what is not in step with
        the records is taken out; `run` brings it back. Raises ``IndexUnavailable``."""
        async with self._in_step:
            after_id = 0
            while waiting := await asyncio.to_thread(self._waiting_after, after_id):
                await vectors.delete(waiting)
                after_id = waiting[-1]
            self.attach(vectors)
        self._on_change()
        self.wake()

    def wake(self) -> None:
        """There may be something to index."""
        self._idle.clear()
        self._news.set()

    async def run(self) -> None:
        """Index whatever is to be indexed, for ever. An embedder that fails is asked again, ever later. Until a vector
        index is there, what is to be in it waits."""
        failures = 0
        has_grown = True
        while True:
            self._news.clear()
            try:
                worked = await (self.index_words() if self._vectors is None else self.index_some())
                failures = 0
            except (EmbeddingError, IndexUnavailable) as error:
                delay_seconds = _RETRY_SECONDS[min(failures, len(_RETRY_SECONDS) - 1)]
                failures += 1
                _log.warning("indexing waits", reason=str(error), retry_seconds=delay_seconds)
                await asyncio.sleep(delay_seconds)
                continue
            if worked:
                has_grown = True
            else:
                if has_grown and self._vectors is not None:
                    has_grown = False
                    self._optimise()
                if not self._news.is_set():
                    self._idle.set()
                await self._news.wait()
                # What follows closely shares the batch: one message at a time costs several times as much.
                await asyncio.sleep(_GATHER_SECONDS)

    def _optimise(self) -> None:
        """Have the vector index put its growth in order, beside whatever else goes on."""
        if self._vectors is not None and (self._optimising is None or self._optimising.done()):
            self._optimising = asyncio.create_task(_optimise(self._vectors), name="choir-optimise")

    async def close(self) -> None:
        """Stop what `run` left running."""
        if self._optimising is not None:
            self._optimising.cancel()
            await asyncio.gather(self._optimising, return_exceptions=True)

    async def idle(self) -> None:
        """Wait until there is nothing to index."""
        await self._idle.wait()

    async def optimised(self) -> None:
        """Wait until no optimisation is under way."""
        if self._optimising is not None:
            await asyncio.wait([self._optimising])

    async def index_some(self) -> int:
        """Do one batch of each stage; returns how many records were touched."""
        await asyncio.to_thread(self.mark_unusable)
        by_keyword = await self.index_words()
        by_vector = await asyncio.to_thread(self._load, VECTORS)
        if by_vector:
            await self._index_vectors(by_vector)
            self._on_change()
        return by_keyword + len(by_vector)

    async def index_words(self) -> int:
        """Do one batch of the first stage; returns how many records were touched."""
        by_keyword = 0
        if await asyncio.to_thread(self._waits_for_keywords):
            by_keyword = await asyncio.to_thread(self._database.write, self._write_keywords, is_durable=False)
            self._on_change()
        return by_keyword

    async def phases(self, vector: Vector, thread_id: str, content_hashes: Sequence[str]) -> dict[str, float]:
        """The phase between a query asked in a thread, by its embedding, and messages (design: memory, "Semantic
        quantities"). Empty where the thread has no centroid."""

        def read() -> dict[str, float]:
            reader = self._database.reader()
            centre = self.embeddings.centroid(reader, thread_id)
            if not centre.any():
                return {}
            found = self.embeddings.of(reader, content_hashes)
            return {content_hash: phase(vector, other.vector, centre) for content_hash, other in found.items()}

        return await asyncio.to_thread(read)

    async def restrict(self, content_hashes: Sequence[str]) -> None:
        """Bring the indexes to the records' level now: what was erased or made private is found no more."""
        self._on_change()
        async with self._in_step:
            entries = await asyncio.to_thread(self._load_named, content_hashes)
            await asyncio.to_thread(self._database.write, partial(self._restrict_stored, entries), is_durable=False)
            try:
                await self._restrict_vectors(entries)
            except IndexUnavailable as error:
                # Nothing is shown that the records do not allow; `run` brings the index in step when it answers again.
                _log.warning("the vector index will follow later", reason=str(error))
        self._on_change()
        self.wake()

    async def _restrict_vectors(self, entries: Sequence[Entry]) -> None:
        if self._vectors is None:
            return
        await self._vectors.delete([entry.id for entry in entries if entry.text is None])
        for entry in entries:
            if entry.text is not None:
                await self._vectors.set_privacy([entry.id], entry.privacy)

    async def restrict_waiting(self) -> None:
        """`restrict` for every record that has something to index: part of opening."""
        hashes = await asyncio.to_thread(self._waiting_hashes)
        for start in range(0, len(hashes), _BATCH):
            await self.restrict(hashes[start : start + _BATCH])

    def _waiting_hashes(self) -> list[str]:
        """Those that an index may already hold at another level."""
        rows = self._database.reader().execute(
            "SELECT content_hash FROM record LEFT JOIN keyword_points AS held ON held.point_id = record.id"
            " WHERE to_index != 0 AND (embedder IS NOT NULL OR held.privacy <> record.privacy"
            " OR (held.point_id IS NOT NULL AND is_erased))"
        )
        return [row[0] for row in rows]

    def _waiting_after(self, record_id: int) -> list[int]:
        rows = self._database.reader().execute(
            "SELECT id FROM record WHERE to_index != 0 AND id > ? ORDER BY id LIMIT ?", (record_id, _WAITING)
        )
        return [row[0] for row in rows]

    async def points(self) -> AsyncIterator[Sequence[Point]]:
        """Every point that the vector index should hold: what it is rebuilt from."""
        after_id = 0
        while True:
            batch = await asyncio.to_thread(self.embeddings.points_after, after_id)
            if not batch:
                return
            yield batch
            after_id = batch[-1].point_id

    def count_waiting(self) -> int:
        """Records not yet in every index in which they can be. Blocks on the file."""
        query = "SELECT count(*) FROM record WHERE to_index != 0 AND to_index != ?"
        row = self._database.reader().execute(query, (REFUSED,)).fetchone()
        return int(row[0])

    def count_points(self) -> int:
        """Records that have or will have a vector. Blocks on the file."""
        row = self._database.reader().execute("SELECT count(*) FROM record WHERE status = 'approved'").fetchone()
        return int(row[0])

    def count_embedded(self) -> int:
        """Records that have a vector now. Blocks on the file."""
        query = "SELECT count(*) FROM record WHERE embedder = ? AND embedding IS NOT NULL"
        return int(self._database.reader().execute(query, (self.embeddings.embedder,)).fetchone()[0])

    def mark_unusable(self) -> None:
        """Have those records embedded anew whose embedding could not be used where it was read. Blocks on the file."""
        if self.embeddings.has_unusable:
            self._database.write(self._mark_unusable, is_durable=False)

    def _mark_unusable(self, connection: sqlite3.Connection) -> None:
        ids = self.embeddings.drop_unusable(connection)
        connection.executemany(
            "UPDATE record SET to_index = ? WHERE id = ? AND to_index = 0", [(VECTORS, record_id) for record_id in ids]
        )

    def tell_of_others(self) -> None:
        """Warn of messages that another embedder has embedded. Blocks on the file: all records are looked at, unless
        none was of another embedder when this one was last asked about."""
        row = self._database.reader().execute("SELECT value FROM meta WHERE key = 'embedder'").fetchone()
        if row is not None and row[0] == self.embeddings.embedder:
            return
        others = self.embeddings.count_of_others()
        if others:
            _log.warning(f"{others} messages are not embedded by {self.embeddings.embedder}: run choir memory reembed")
        only = "" if others else self.embeddings.embedder
        self._database.write(
            lambda db: db.execute("INSERT OR REPLACE INTO meta VALUES ('embedder', ?)", (only,)), is_durable=False
        )

    async def probe_embedder(self) -> None:
        """Embed one text. Raises ``EmbeddingError`` where that fails, before anything depends on it."""
        await probe(self._embedder)

    def mark_all(self) -> int:
        """Have every record indexed anew (another embedder, a lost index); returns how many. Blocks on the file."""
        return self._database.write(_mark_all, is_durable=False)

    def _waits_for_keywords(self) -> bool:
        """Whether there is a batch to write. Asks for one record only: the backlog of an import is long."""
        query = "SELECT 1 FROM record WHERE to_index != 0 AND to_index = ? LIMIT 1"
        return self._database.reader().execute(query, (KEYWORDS,)).fetchone() is not None

    def _load(self, stage: int) -> list[Entry]:
        return self._entries(self._database.reader(), *_at(stage))

    def _load_named(self, content_hashes: Sequence[str]) -> list[Entry]:
        marks = ",".join("?" * len(content_hashes))
        return self._entries(self._database.reader(), f"content_hash IN ({marks})", tuple(content_hashes))

    def _entries(self, connection: sqlite3.Connection, condition: str, arguments: tuple[object, ...]) -> list[Entry]:
        cursor = connection.cursor()
        cursor.row_factory = sqlite3.Row
        rows = cursor.execute(
            "SELECT id, content_hash, thread_id, author, created_at_ms, privacy, priors, status, salt, text, sealed"  # noqa: S608  conditions are ours
            f" FROM record WHERE seq IS NOT NULL AND {condition}",
            arguments,
        ).fetchall()
        return [self._entry(connection, row) for row in courteous(rows)]

    def _entry(self, connection: sqlite3.Connection, row: sqlite3.Row) -> Entry:
        text = None
        if row["status"] == "approved" and row["privacy"] != Level.ENCRYPTED:
            at_rest = AtRest(row["salt"], row["text"], row["sealed"])
            try:
                content = self._vault.reveal(connection, row["thread_id"], row["content_hash"], at_rest)
            except SealingError as error:  # one damaged text must not keep others from being indexed, or hidden
                _log.warning("a sealed text cannot be opened", content_hash=row["content_hash"], reason=str(error))
                content = None
            text = None if content is None else content[1]
        return Entry(
            row["id"],
            row["content_hash"],
            row["thread_id"],
            row["author"],
            row["created_at_ms"],
            row["privacy"],
            tuple(msgspec.json.decode(row["priors"])),
            text,
        )

    def _write_keywords(self, connection: sqlite3.Connection) -> int:
        """Words, and the summary that others get of premium text. Reads and writes in one transaction: what is hidden
        or erased meanwhile would come back."""
        entries = self._entries(connection, *_at(KEYWORDS))
        index = self._keywords(connection)
        index.remove([entry.id for entry in entries if entry.text is None])
        index.add(
            KeywordEntry(e.id, e.text, e.thread_id, e.author, e.created_at_ms, e.privacy)
            for e in entries
            if e.text is not None
        )
        for entry in courteous(entries):
            summary = None
            if entry.text is not None and entry.privacy == Level.PREMIUM:
                summary = summarise_limited(entry.text)
            connection.execute("UPDATE record SET to_index = ?, summary = ? WHERE id = ?", (VECTORS, summary, entry.id))
        return len(entries)

    async def _index_vectors(self, entries: Sequence[Entry]) -> None:
        texts = {entry.id: entry.text for entry in entries if entry.text is not None}
        found = dict(zip(texts, await embed_all(self._embedder, list(texts.values())), strict=True))
        vectors = {record_id: vector for record_id, vector in found.items() if vector is not None}
        refused = found.keys() - vectors.keys()
        async with self._in_step:
            entries = await asyncio.to_thread(self._still_waiting, entries)
            await self._update_vectors(entries, vectors)
            await asyncio.to_thread(
                self._database.write, partial(self._write_vectors, entries, vectors, refused), is_durable=False
            )

    async def _update_vectors(self, entries: Sequence[Entry], vectors: dict[int, Vector]) -> None:
        if self._vectors is None:
            return
        await self._vectors.delete([entry.id for entry in entries if entry.id not in vectors])
        await self._vectors.upsert(
            [
                Point(e.id, vectors[e.id], e.thread_id, e.author, e.created_at_ms, e.privacy)
                for e in entries
                if e.id in vectors
            ]
        )

    def _still_waiting(self, entries: Sequence[Entry]) -> list[Entry]:
        """Those that nothing has changed since they were loaded: a change sends a record back to its keywords."""
        marks = ",".join("?" * len(entries))
        rows = self._database.reader().execute(
            f"SELECT id FROM record WHERE id IN ({marks}) AND to_index = ?",  # noqa: S608  only question marks
            (*(entry.id for entry in entries), VECTORS),
        )
        ids = {row[0] for row in rows}
        return [entry for entry in entries if entry.id in ids]

    def _write_vectors(
        self, entries: Sequence[Entry], vectors: dict[int, Vector], refused: Set[int], connection: sqlite3.Connection
    ) -> None:
        for entry in courteous(entries):
            to_index = REFUSED if entry.id in refused else 0
            is_unchanged = connection.execute(
                "UPDATE record SET to_index = ? WHERE id = ? AND to_index = ?", (to_index, entry.id, VECTORS)
            ).rowcount
            if not is_unchanged:
                continue
            if to_index == REFUSED:
                _log.warning("the embedder refuses a text, it is found by words only", content_hash=entry.content_hash)
            vector = vectors.get(entry.id)
            if vector is None:
                self.embeddings.forget(connection, entry.id)
            else:
                self.embeddings.put(connection, entry.id, vector)
                self._write_quantities(connection, entry, vector)

    def _write_quantities(self, connection: sqlite3.Connection, entry: Entry, vector: Vector) -> None:
        """Resonance, phase, entanglement and coherence, of the message and of each of its priors (design: memory)."""
        priors = self.embeddings.of(connection, entry.priors)
        centre = self.embeddings.centroid(connection, entry.thread_id)
        for prior, found in priors.items():
            shared = entanglement(entry.priors, found.priors)
            connection.execute(
                "UPDATE citation SET resonance = ?, phase = ?, entanglement = ? WHERE content_hash = ? AND prior = ?",
                (
                    resonance(vector, found.vector),
                    phase(vector, found.vector, centre),
                    shared,
                    entry.content_hash,
                    prior,
                ),
            )
        known = [found.vector for found in priors.values()]
        connection.execute(
            "UPDATE record SET coherence = ?, resonance = ? WHERE id = ?",
            (coherence(vector, known), total_resonance(vector, known), entry.id),
        )

    def _restrict_stored(self, entries: Sequence[Entry], connection: sqlite3.Connection) -> None:
        index = self._keywords(connection)
        index.remove([entry.id for entry in entries if entry.text is None])
        for entry in entries:
            self.embeddings.forget(connection, entry.id)
            if entry.text is not None:
                index.set_privacy([entry.id], entry.privacy)
                # `run` may have been faster and be done with it: its embedding has just been forgotten.
                connection.execute("UPDATE record SET to_index = ? WHERE id = ? AND to_index = 0", (VECTORS, entry.id))


def _at(stage: int) -> tuple[str, tuple[object, ...]]:
    """The condition for a batch of what waits at ``stage``."""
    return "to_index != 0 AND to_index = ? ORDER BY id LIMIT ?", (stage, _BATCH)  # as the index over it says


def _call_soon(loop: asyncio.AbstractEventLoop, call: Callable[[], None]) -> None:
    """On the loop's thread, from any other."""
    if not loop.is_closed():
        loop.call_soon_threadsafe(call)


async def _optimise(vectors: VectorIndex) -> None:
    try:
        await vectors.optimise()
    except IndexUnavailable as error:
        _log.warning("the vector index was not optimised", reason=str(error))


def _mark_all(connection: sqlite3.Connection) -> int:
    connection.execute("DELETE FROM centroid")
    connection.execute("DELETE FROM meta WHERE key = 'embedder'")
    return connection.execute(
        "UPDATE record SET to_index = 1, embedding = NULL, embedder = NULL WHERE status = 'approved'"
    ).rowcount
