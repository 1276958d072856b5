"""Content records: written pending before their transaction is submitted, marked when its block commits, swept when it
never does (design: memory, "The record")."""

import asyncio
import sqlite3
from collections.abc import Collection, Sequence
from functools import partial
from typing import Any, Final, NamedTuple

import msgspec
from msgspec import Struct

from choir.memory.database import Database
from choir.memory.vault import AtRest, Vault

_END_OF_TIME: Final = 2**62


class NewContent(NamedTuple):
    """Content that came with a transaction; ``content_hash`` has been checked to be its hash.

    ``privacy`` is the level it will have, which decides how it is stored.
    """

    content_hash: str
    thread_id: str
    author: str
    salt: str
    text: str
    privacy: str
    received_at_ms: int


class SpecState(Struct, frozen=True, kw_only=True):
    """What the ledger's events have said of a spec."""

    stake: int
    expires_at_ms: int
    voters: tuple[str, ...]
    approvals: tuple[str, ...] = ()
    denials: tuple[str, ...] = ()


class Record(Struct, frozen=True, kw_only=True):
    """A message or spec as this node remembers it. ``text`` and ``salt`` are None when erased or never received;
    ``characters`` is the length of the text; ``coherence`` and ``resonance`` are None until computed."""

    id: int
    content_hash: str
    thread_id: str
    author: str
    status: str
    kind: str
    privacy: str
    priors: tuple[str, ...]
    is_erased: bool
    created_at_ms: int
    seq: int
    tx_hash: str
    text: str | None
    salt: str | None
    characters: int
    summary: str | None
    coherence: float | None
    resonance: float | None
    spec: SpecState | None

    def __repr__(self) -> str:
        return f"Record({self.content_hash})"  # content stays out of logs and traces


class Placement(NamedTuple):
    """What decides who may read a record."""

    thread_id: str
    author: str
    privacy: str
    is_erased: bool


class CitationLink(NamedTuple):
    """The other end of a citation, with what was measured between the two; None until measured."""

    record: Record
    seq: int
    resonance: float | None
    phase: float | None
    entanglement: float | None


class RecordStore:
    """Reading and writing records. What arrives while the disk is busy is written in one commit."""

    def __init__(self, database: Database, vault: Vault) -> None:
        self._database = database
        self._vault = vault
        self._gathered: list[tuple[NewContent, asyncio.Future[None]]] = []
        self._flushing: asyncio.Task[None] | None = None

    async def store_pending(self, content: NewContent) -> None:
        """Keep content durably until its transaction commits. Raises ``sqlite3.Error`` when it cannot be written."""
        stored: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._gathered.append((content, stored))
        if self._flushing is None:
            self._flushing = asyncio.create_task(self._flush())
        await stored

    async def _flush(self) -> None:
        while self._gathered:
            gathered, self._gathered = self._gathered, []
            batch = [content for content, _ in gathered]
            failure: Exception | None = None
            try:
                await asyncio.to_thread(self._database.write, partial(self._insert_pending, batch), is_durable=True)
            except Exception as error:
                failure = error  # whoever waits is told, whatever it was
            for _, stored in gathered:
                if stored.done():
                    continue
                if failure is None:
                    stored.set_result(None)
                else:
                    stored.set_exception(failure)
        self._flushing = None

    async def sweep(self, received_before_ms: int) -> int:
        """Delete pending content whose transaction never came; returns how many. ``received_before_ms`` leaves room for
        a transaction on its way."""
        return await asyncio.to_thread(
            self._database.write, partial(_delete_pending, received_before_ms), is_durable=False
        )

    def get(self, content_hash: str) -> Record | None:
        """A committed record. Blocks on the file: call it on a thread."""
        found = self._read("record WHERE content_hash = ? AND seq IS NOT NULL", (content_hash,))
        return found[0] if found else None

    def by_ids(self, ids: Sequence[int]) -> dict[int, Record]:
        """Committed records by their ids."""
        marks = ",".join("?" * len(ids))
        return {record.id: record for record in self._read(f"record WHERE id IN ({marks}) AND seq IS NOT NULL", ids)}

    def by_hashes(self, content_hashes: Sequence[str]) -> dict[str, Record]:
        """Committed records by their hashes."""
        marks = ",".join("?" * len(content_hashes))
        found = self._read(f"record WHERE content_hash IN ({marks}) AND seq IS NOT NULL", content_hashes)
        return {record.content_hash: record for record in found}

    def placements(self, content_hashes: Sequence[str]) -> dict[str, Placement]:
        """Where committed records stand, without opening their content. Blocks on the file."""
        marks = ",".join("?" * len(content_hashes))
        rows = self._database.reader().execute(
            "SELECT content_hash, thread_id, author, privacy, is_erased FROM record"  # noqa: S608  only marks
            f" WHERE content_hash IN ({marks}) AND seq IS NOT NULL",
            tuple(content_hashes),
        )
        return {row[0]: Placement(row[1], row[2], row[3], bool(row[4])) for row in rows}

    def with_hidden_messages(self, thread_ids: Collection[str]) -> set[str]:
        """Those threads in which a message is erased or not public. Blocks on the file."""
        query = (
            "SELECT 1 FROM record WHERE thread_id = ? AND seq IS NOT NULL AND status = 'approved'"
            " AND (is_erased OR privacy <> 'public') LIMIT 1"
        )
        reader = self._database.reader()
        return {thread_id for thread_id in set(thread_ids) if reader.execute(query, (thread_id,)).fetchone()}

    def of_thread(self, thread_id: str, *, after_seq: int, limit: int) -> list[Record]:
        """The approved messages of a thread, oldest first."""
        return self._read(
            "record WHERE thread_id = ? AND seq > ? AND status = 'approved' ORDER BY seq LIMIT ?",
            (thread_id, after_seq, limit),
        )

    def newest_of_thread(self, thread_id: str, limit: int, *, until_seq: int = _END_OF_TIME) -> list[Record]:
        """The newest approved messages of a thread, or those up to ``until_seq``, oldest first."""
        newest_first = self._read(
            "record WHERE thread_id = ? AND seq <= ? AND status = 'approved' ORDER BY seq DESC LIMIT ?",
            (thread_id, until_seq, limit),
        )
        return newest_first[::-1]

    def position_in_thread(self, thread_id: str, until_seq: int) -> int:
        """How many approved messages the thread has up to that place in the ledger. Blocks on the file."""
        query = "SELECT COUNT(*) FROM record WHERE thread_id = ? AND seq <= ? AND status = 'approved'"
        count: int = self._database.reader().execute(query, (thread_id, until_seq)).fetchone()[0]
        return count

    def open_specs_of(self, thread_id: str, limit: int) -> list[Record]:
        """The open specs of a thread, oldest first."""
        return self._read(
            "record WHERE thread_id = ? AND seq IS NOT NULL AND status = 'open' ORDER BY seq LIMIT ?",
            (thread_id, limit),
        )

    def specs(self, query: "SpecQuery") -> list[Record]:
        """Specs by voter, author, thread and status, newest first."""
        where, arguments = query.condition()
        return self._read(f"{where} ORDER BY record.seq DESC LIMIT ?", (*arguments, query.limit))

    def citations_of(self, record: Record) -> list[CitationLink]:
        """What a record cites, in its order."""
        priors = self.by_hashes(record.priors)
        rows = self._database.reader().execute(
            "SELECT prior, seq, resonance, phase, entanglement FROM citation WHERE content_hash = ?",
            (record.content_hash,),
        )
        measured = {row[0]: tuple(row)[1:] for row in rows}
        return [
            CitationLink(priors[prior], *measured.get(prior, (record.seq, None, None, None)))
            for prior in record.priors
            if prior in priors
        ]

    def cited_by(self, content_hash: str, *, after_seq: int, limit: int) -> list[CitationLink]:
        """What cites a message, oldest first."""
        rows = self._database.reader().execute(
            "SELECT content_hash, seq, resonance, phase, entanglement FROM citation"
            " WHERE prior = ? AND seq > ? ORDER BY seq LIMIT ?",
            (content_hash, after_seq, limit),
        )
        found = [tuple(row) for row in rows]
        citing = self.by_hashes([row[0] for row in found])
        return [CitationLink(citing[row[0]], *row[1:]) for row in found if row[0] in citing]

    def opening_of(self, thread_id: str) -> Record | None:
        """The first approved message of a thread."""
        return next(iter(self.of_thread(thread_id, after_seq=0, limit=1)), None)

    def wrapped_key(self, thread_id: str, recipient: str) -> bytes | None:
        """A sealed thread's key in a box that only ``recipient`` can open."""
        return self._vault.wrapped_for(self._database.reader(), thread_id, recipient)

    def _insert_pending(self, batch: Sequence[NewContent], connection: sqlite3.Connection) -> None:
        rows: list[tuple[Any, ...]] = []
        for new in batch:
            known = connection.execute(
                "SELECT privacy FROM record WHERE content_hash = ? AND seq IS NOT NULL", (new.content_hash,)
            ).fetchone()
            # Of a record that is there already, the level may have changed since its transaction.
            level = new.privacy if known is None else known[0]
            at_rest = self._vault.protect(connection, new.thread_id, new.content_hash, new.salt, new.text, level)
            characters = len(new.text)
            rows.append((new.content_hash, new.thread_id, new.author, *at_rest, characters, new.received_at_ms))
        connection.executemany(
            "INSERT INTO record"
            " (content_hash, thread_id, author, salt, text, sealed, characters, received_at_ms, status)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, 'pending') ON CONFLICT (content_hash) DO UPDATE SET"
            # Content that a replay brings for a record that never had it. What is erased stays erased.
            " salt = excluded.salt, text = excluded.text, sealed = excluded.sealed, characters = excluded.characters,"
            " to_index = (status = 'approved')"
            " WHERE NOT is_erased AND record.text IS NULL AND record.sealed IS NULL",
            rows,
        )

    def _read(self, source: str, arguments: Sequence[Any]) -> list[Record]:
        """The records that ``source`` names, which is what follows FROM."""
        reader = self._database.reader()
        rows = reader.execute(f"SELECT {_COLUMNS} FROM {source}", tuple(arguments)).fetchall()  # noqa: S608  texts are ours
        return [self._record(reader, *row) for row in rows]

    def _record(
        self,
        reader: sqlite3.Connection,
        salt: str | None,
        text: str | None,
        sealed: bytes | None,
        priors: str,
        is_erased: int,
        spec: str | None,
        content_hash: str,
        thread_id: str,
        *others: Any,
    ) -> Record:
        content = self._vault.reveal(reader, thread_id, content_hash, AtRest(salt, text, sealed))
        salt, text = (None, None) if content is None else content
        return Record(
            content_hash=content_hash,
            thread_id=thread_id,
            salt=salt,
            text=text,
            priors=() if priors == "[]" else tuple(msgspec.json.decode(priors)),
            is_erased=bool(is_erased),
            spec=None if spec is None else msgspec.json.decode(spec, type=SpecState),
            **dict(zip(_AS_STORED, others, strict=True)),
        )


_AS_STORED: Final = (
    "id",
    "author",
    "status",
    "kind",
    "privacy",
    "created_at_ms",
    "seq",
    "tx_hash",
    "characters",
    "summary",
    "coherence",
    "resonance",
)
# All that makes a record: not its embedding, which is longer than most texts.
_COLUMNS: Final = ", ".join(
    f"record.{name}"
    for name in ("salt", "text", "sealed", "priors", "is_erased", "spec", "content_hash", "thread_id", *_AS_STORED)
)


class SpecQuery(NamedTuple):
    """Which specs; ``before_seq`` pages backwards through time."""

    before_seq: int
    limit: int
    voter: str | None = None
    author: str | None = None
    thread_id: str | None = None
    status: str | None = None

    def condition(self) -> tuple[str, list[Any]]:
        """FROM and WHERE of the query, with its arguments."""
        source = "record WHERE kind = 'spec' AND record.seq < ?"
        arguments: list[Any] = [self.before_seq]
        if self.voter is not None:
            source = (
                "voter JOIN record ON record.content_hash = voter.spec_id WHERE voter.address = ? AND voter.seq < ?"
            )
            arguments = [self.voter, self.before_seq]
        for column in ("author", "thread_id", "status"):
            value = getattr(self, column)
            if value is not None:
                source += f" AND record.{column} = ?"
                arguments.append(value)
        return source, arguments


def _delete_pending(received_before_ms: int, connection: sqlite3.Connection) -> int:
    return connection.execute(
        "DELETE FROM record WHERE status = 'pending' AND received_at_ms < ?", (received_before_ms,)
    ).rowcount
