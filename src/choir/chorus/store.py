"""Kept runs: one file of its own, sealed, each run for its owner only.

A run is kept as its events without tokens and without the texts of messages: those stay in the memory, which knows who
may read them. What the models wrote may hold words of those messages, so the file also says which messages each run
was given, and when: erasing one takes everything away that was written from it (`choir.chorus.veil`).

Prompts and events are sealed with a key of the node. What is deleted is overwritten and leaves the write-ahead log
before the call returns.
"""

import asyncio
import secrets
import sqlite3
from collections import OrderedDict
from collections.abc import Callable, Collection, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Final, Protocol, TypeVar

import msgspec
from msgspec import Struct

from choir.chorus.events import ENDINGS, AnyRunEvent, RunCancelled, RunFinished, Token
from choir.chorus.veil import Span, compute_spans, sources_of, strip_texts, veil

RUNS_PER_OWNER: Final = 200
RUNS_PER_NODE: Final = 100_000
# Numbers are reserved in blocks, so that what ends a run after a crash comes after every token that was seen.
_RESERVED_NUMBERS: Final = 1_000
_REMEMBERED_ERASURES: Final = 10_000
_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS run (
    id INTEGER PRIMARY KEY AUTOINCREMENT, run_id TEXT NOT NULL UNIQUE, owner TEXT NOT NULL, thread_id TEXT,
    prompt BLOB NOT NULL, status TEXT NOT NULL, created_at_ms INTEGER NOT NULL, reserved INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX IF NOT EXISTS run_by_owner ON run (owner, id);
CREATE TABLE IF NOT EXISTS event (
    run INTEGER NOT NULL, number INTEGER NOT NULL, body BLOB NOT NULL, PRIMARY KEY (run, number)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS source (
    content_hash TEXT NOT NULL, run INTEGER NOT NULL, is_context INTEGER NOT NULL, is_erased INTEGER NOT NULL,
    PRIMARY KEY (content_hash, run)
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS source_by_run ON source (run);
"""
_event_decoder = msgspec.json.Decoder(AnyRunEvent)
T = TypeVar("T")


class Sealer(Protocol):
    """Seals bytes under a key of the node. ``label`` (ASCII) binds them to their place."""

    def seal(self, label: str, plaintext: bytes, /) -> bytes: ...
    def open(self, label: str, sealed: bytes, /) -> bytes: ...


class KeptRun(Struct, frozen=True, kw_only=True):
    """A run as it is listed. ``status`` is running, finished, failed or cancelled; ``seq`` orders runs by age."""

    seq: int
    run_id: str
    owner: str
    thread_id: str | None
    prompt: str
    status: str
    created_at_ms: int

    def __repr__(self) -> str:
        return f"KeptRun({self.run_id})"  # what somebody asked stays out of logs


class RunRecord(Struct, frozen=True, kw_only=True):
    """A run with its events, and where in them each message that it was given may stand (by content hash)."""

    run: KeptRun
    events: tuple[AnyRunEvent, ...]
    spans: dict[str, Span]


class Interrupted(Struct, frozen=True, kw_only=True):
    """A run that a crash cut short. ``next_number`` comes after every event of it that anybody saw."""

    seq: int
    next_number: int
    last_at_ms: int


class ChorusStore:
    """The file of kept runs, used from one thread of its own: every method may be awaited on the event loop."""

    def __init__(self, path: Path, sealer: Sealer) -> None:
        """Opens or makes the file, for its owner only. Raises ``sqlite3.Error`` and ``OSError``."""
        self._sealer = sealer
        self._erased: OrderedDict[str, None] = OrderedDict()
        self._reserved: dict[int, int] = {}
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="choir-chorus")
        path.touch(mode=0o600)
        self._connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        try:
            self._connection.execute("PRAGMA journal_mode = WAL")
            self._connection.execute("PRAGMA synchronous = NORMAL")
            self._connection.execute("PRAGMA busy_timeout = 5000")
            self._connection.execute("PRAGMA secure_delete = ON")
            self._connection.executescript(_SCHEMA)
            self._forget_log()
        except sqlite3.Error:
            self._connection.close()
            raise

    def close(self) -> None:
        self._thread.shutdown(wait=True)
        self._connection.close()

    async def create(
        self, *, owner: str, prompt: str, thread_id: str | None, context: Iterable[str], created_at_ms: int
    ) -> KeptRun:
        """Begin to keep a run that was given the messages ``context`` from the start."""
        run_id = secrets.token_hex(16)
        sealed = self._sealer.seal(f"{run_id}/prompt", prompt.encode("utf-8"))
        return await self._run(partial(self._create, run_id, owner, sealed, prompt, thread_id, context, created_at_ms))

    async def append(self, run: KeptRun, event: AnyRunEvent) -> None:
        """Keep an event; an ending sets the run's status. Tokens only reserve their number."""
        if event.number > self._reserved.get(run.seq, 0):
            self._reserved[run.seq] = event.number + _RESERVED_NUMBERS
            await self._run(partial(self._reserve, run.seq, self._reserved[run.seq]))
        if isinstance(event, Token):
            return
        await self._run(partial(self._append, run, event))
        if isinstance(event, ENDINGS):
            self._reserved.pop(run.seq, None)

    async def get(self, run_id: str, owner: str) -> RunRecord | None:
        """A run with its events; None where there is none of this owner."""
        return await self._run(partial(self._get, run_id, owner))

    async def page(self, owner: str, before_seq: int, limit: int) -> Sequence[KeptRun]:
        """The owner's runs, newest first."""
        return await self._run(partial(self._page, owner, before_seq, limit))

    async def delete(self, run_id: str, owner: str) -> bool:
        """Delete a run for good; whether there was one."""
        deleted = await self._run(partial(self._delete, run_id, owner))
        if deleted:
            await self._run_alone(self._forget_log)
        return deleted

    async def erase(self, content_hashes: Collection[str]) -> None:
        """Take away, for good, all that was written from these messages; also what is still to be written."""
        if await self._run(partial(self._erase, content_hashes)):
            await self._run_alone(self._forget_log)

    async def interrupted(self) -> Sequence[tuple[Interrupted, KeptRun]]:
        """The runs that are marked as running though nothing runs: to be asked for at the node's start."""
        return await self._run(self._interrupted)

    async def sources(self, run: KeptRun) -> tuple[str, ...]:
        """The messages that a run was given."""
        return await self._run(lambda: tuple(self._sources(run.seq)))

    async def _run(self, work: Callable[[], T]) -> T:
        return await self._run_alone(partial(self._transact, work))

    async def _run_alone(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)

    def _transact(self, work: Callable[[], T]) -> T:
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            result = work()
        except BaseException:
            self._connection.execute("ROLLBACK")
            raise
        self._connection.execute("COMMIT")
        return result

    def _create(
        self,
        run_id: str,
        owner: str,
        sealed: bytes,
        prompt: str,
        thread_id: str | None,
        context: Iterable[str],
        created_at_ms: int,
    ) -> KeptRun:
        seq = self._connection.execute(
            "INSERT INTO run (run_id, owner, thread_id, prompt, status, created_at_ms)"
            " VALUES (?, ?, ?, ?, 'running', ?)",
            (run_id, owner, thread_id, sealed, created_at_ms),
        ).lastrowid
        if seq is None:
            raise sqlite3.DatabaseError("the new run has no number")
        self._add_sources(seq, context, is_context=True)
        self._prune("owner = ?", (owner,), RUNS_PER_OWNER)
        self._prune("1", (), RUNS_PER_NODE)
        return KeptRun(
            seq=seq,
            run_id=run_id,
            owner=owner,
            thread_id=thread_id,
            prompt=prompt,
            status="running",
            created_at_ms=created_at_ms,
        )

    def _prune(self, condition: str, arguments: tuple[str, ...], kept: int) -> None:
        """Delete the oldest ended runs beyond ``kept``."""
        rows = self._connection.execute(
            f"SELECT id FROM run WHERE {condition} AND status <> 'running'"  # noqa: S608  one of two literals
            " ORDER BY id DESC LIMIT -1 OFFSET ?",
            (*arguments, kept),
        ).fetchall()
        for (seq,) in rows:
            self._delete_row(seq)

    def _reserve(self, seq: int, number: int) -> None:
        self._connection.execute("UPDATE run SET reserved = ? WHERE id = ?", (number, seq))

    def _append(self, run: KeptRun, event: AnyRunEvent) -> None:
        if self._connection.execute("SELECT 1 FROM run WHERE id = ?", (run.seq,)).fetchone() is None:
            return  # deleted while it was still under way
        self._add_sources(run.seq, sources_of(event), is_context=False)
        self._write_event(run.seq, run.run_id, strip_texts(event))
        self._take_away_erased(run.seq, run.run_id)
        if isinstance(event, ENDINGS):
            self._connection.execute("UPDATE run SET status = ? WHERE id = ?", (_status_of(event), run.seq))

    def _write_event(self, seq: int, run_id: str, event: AnyRunEvent) -> None:
        body = self._sealer.seal(f"{run_id}/{event.number}", msgspec.json.encode(event))
        self._connection.execute("INSERT OR REPLACE INTO event VALUES (?, ?, ?)", (seq, event.number, body))

    def _add_sources(self, seq: int, content_hashes: Iterable[str], *, is_context: bool) -> None:
        self._connection.executemany(
            "INSERT OR IGNORE INTO source VALUES (?, ?, ?, ?)",
            [(content_hash, seq, is_context, content_hash in self._erased) for content_hash in content_hashes],
        )

    def _take_away_erased(self, seq: int, run_id: str) -> None:
        """Rewrite every event that was written from an erased message."""
        erased = frozenset(self._sources(seq, "is_erased"))
        if not erased:
            return
        events = list(self._events(seq, run_id))
        spans = compute_spans(self._sources(seq, "is_context"), events)
        hidden = {content_hash: span for content_hash, span in spans.items() if content_hash in erased}
        for event in events:
            veiled = veil(event, hidden)
            if veiled != event:
                self._write_event(seq, run_id, veiled)

    def _sources(self, seq: int, condition: str = "1") -> list[str]:
        rows = self._connection.execute(
            f"SELECT content_hash FROM source WHERE run = ? AND {condition}",  # noqa: S608  one of three literals
            (seq,),
        )
        return [content_hash for (content_hash,) in rows.fetchall()]

    def _get(self, run_id: str, owner: str) -> RunRecord | None:
        row = self._connection.execute(
            "SELECT id, run_id, owner, thread_id, prompt, status, created_at_ms FROM run"
            " WHERE run_id = ? AND owner = ?",
            (run_id, owner),
        ).fetchone()
        if row is None:
            return None
        run = self._kept(row)
        events = tuple(self._events(run.seq, run.run_id))
        return RunRecord(run=run, events=events, spans=compute_spans(self._sources(run.seq, "is_context"), events))

    def _events(self, seq: int, run_id: str) -> Iterable[AnyRunEvent]:
        rows = self._connection.execute("SELECT number, body FROM event WHERE run = ? ORDER BY number", (seq,))
        for number, body in rows.fetchall():
            yield _event_decoder.decode(self._sealer.open(f"{run_id}/{number}", body))

    def _page(self, owner: str, before_seq: int, limit: int) -> Sequence[KeptRun]:
        rows = self._connection.execute(
            "SELECT id, run_id, owner, thread_id, prompt, status, created_at_ms FROM run"
            " WHERE owner = ? AND id < ? ORDER BY id DESC LIMIT ?",
            (owner, before_seq, limit),
        )
        return [self._kept(row) for row in rows.fetchall()]

    def _kept(self, row: tuple[int, str, str, str | None, bytes, str, int]) -> KeptRun:
        seq, run_id, owner, thread_id, sealed, status, created_at_ms = row
        return KeptRun(
            seq=seq,
            run_id=run_id,
            owner=owner,
            thread_id=thread_id,
            prompt=self._sealer.open(f"{run_id}/prompt", sealed).decode("utf-8"),
            status=status,
            created_at_ms=created_at_ms,
        )

    def _delete(self, run_id: str, owner: str) -> bool:
        row = self._connection.execute("SELECT id FROM run WHERE run_id = ? AND owner = ?", (run_id, owner)).fetchone()
        if row is None:
            return False
        self._delete_row(row[0])
        return True

    def _delete_row(self, seq: int) -> None:
        for statement in (
            "DELETE FROM event WHERE run = ?",
            "DELETE FROM source WHERE run = ?",
            "DELETE FROM run WHERE id = ?",
        ):
            self._connection.execute(statement, (seq,))

    def _erase(self, content_hashes: Collection[str]) -> bool:
        for content_hash in content_hashes:
            self._erased[content_hash] = None
            self._erased.move_to_end(content_hash)
        while len(self._erased) > _REMEMBERED_ERASURES:
            self._erased.popitem(last=False)
        touched: set[tuple[int, str]] = set()
        for content_hash in content_hashes:
            rows = self._connection.execute(
                "SELECT run.id, run.run_id FROM source JOIN run ON run.id = source.run WHERE content_hash = ?",
                (content_hash,),
            )
            touched.update(rows.fetchall())
            self._connection.execute("UPDATE source SET is_erased = 1 WHERE content_hash = ?", (content_hash,))
        for seq, run_id in touched:
            self._take_away_erased(seq, run_id)
        return bool(touched)

    def _interrupted(self) -> Sequence[tuple[Interrupted, KeptRun]]:
        rows = self._connection.execute(
            "SELECT id, run_id, owner, thread_id, prompt, status, created_at_ms, reserved FROM run"
            " WHERE status = 'running' ORDER BY id"
        ).fetchall()
        found: list[tuple[Interrupted, KeptRun]] = []
        for *row, reserved in rows:
            run = self._kept((row[0], row[1], row[2], row[3], row[4], row[5], row[6]))
            events = list(self._events(run.seq, run.run_id))
            last_number, last_at_ms = (events[-1].number, events[-1].at_ms) if events else (0, 0)
            interrupted = Interrupted(seq=run.seq, next_number=max(last_number, reserved) + 1, last_at_ms=last_at_ms)
            found.append((interrupted, run))
        return found

    def _forget_log(self) -> None:
        """Move the write-ahead log into the file and empty it. This connection is the only one, so nobody hinders."""
        self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _status_of(ending: AnyRunEvent) -> str:
    if isinstance(ending, RunFinished):
        return "finished"
    return "cancelled" if isinstance(ending, RunCancelled) else "failed"
