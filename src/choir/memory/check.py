"""Every message of the ledger against the memory: is its text the one that was hashed, is it found by those who may
find it and by nobody else (design: memory, "The record")?

Reads with one connection that cannot write. `repair` mends what follows from the ledger and the texts; a text that is
not here cannot be made.
"""

import sqlite3
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Final, NamedTuple

from msgspec import Struct

from choir.memory.database import Database
from choir.memory.holdings import find_text_problem
from choir.memory.privacy import Level
from choir.memory.projection import Projection
from choir.memory.vault import AtRest, Vault
from choir.primitives.signatures import SigningKey

_SHOWN: Final = 20
# Kinds of problems that the ledger and the stored texts suffice to mend.
REPAIRABLE: Final = frozenset({"facts_differ", "not_sealed", "not_indexed", "not_embedded", "still_found"})


class LedgerMessage(NamedTuple):
    """What the ledger says of a message."""

    content_hash: str
    thread_id: str
    author: str
    status: str
    privacy: str
    is_erased: bool


class Problem(Struct, frozen=True, kw_only=True):
    """``kind`` is one of `REPAIRABLE`, or: behind, record_missing, text_missing, unreadable, hash_differs,
    not_on_ledger."""

    kind: str
    content_hash: str
    detail: str


class MemoryReport(Struct, frozen=True, kw_only=True):
    """``texts`` were hashed again; ``waiting`` records will be indexed when the node runs. ``problems`` counts by kind,
    ``first_problems`` are some of them; ``repaired`` messages were mended."""

    messages: int
    texts: int
    waiting: int
    problems: dict[str, int]
    first_problems: tuple[Problem, ...]
    repaired: int = 0

    @property
    def unrepaired(self) -> int:
        """How many problems are still there: none that `repair` mends, if it was asked to."""
        mended = sum(self.problems.get(kind, 0) for kind in REPAIRABLE) if self.repaired else 0
        return sum(self.problems.values()) - mended


class MemoryCheck:
    """One look at ``memory.db`` in ``directory``. ``embedder`` is NAME@VERSION of the configured one."""

    def __init__(self, directory: Path, node_key: SigningKey, embedder: str) -> None:
        self._path = directory / "memory.db"
        self._vault = Vault(node_key)
        self._embedder = embedder
        self._counts: Counter[str] = Counter()
        self._first: list[Problem] = []
        self._to_repair: dict[str, LedgerMessage] = {}

    def run(self, messages: Iterable[LedgerMessage], ledger_seq: int, on_message: Callable[[], None]) -> MemoryReport:
        """Check them all. ``ledger_seq`` is the ledger's newest event. Raises ``sqlite3.Error`` for a broken file."""
        connection = sqlite3.connect(f"{self._path.resolve().as_uri()}?mode=rw", uri=True, isolation_level=None)
        connection.row_factory = sqlite3.Row
        connection.execute("PRAGMA query_only = 1")
        totals: Counter[str] = Counter()
        try:
            (last_seq,) = connection.execute("SELECT value FROM meta WHERE key = 'last_seq'").fetchone()
            levels = _indexed_levels(connection)
            known = set()
            for message in messages:
                known.add(message.content_hash)
                totals.update(self._check(connection, message, levels, last_seq < ledger_seq))
                on_message()
            for row in connection.execute("SELECT content_hash FROM record WHERE seq IS NOT NULL"):
                if row[0] not in known:
                    self._note("not_on_ledger", row[0], "the memory has it, the ledger does not")
        finally:
            connection.close()
        return MemoryReport(
            messages=len(known),
            texts=totals["texts"],
            waiting=totals["waiting"],
            problems=dict(sorted(self._counts.items())),
            first_problems=tuple(self._first),
        )

    def repair(self) -> int:
        """Mend what `run` found and can be mended; what is to be indexed is marked, and indexed when the node runs.
        Returns how many messages were touched."""
        database = Database(self._path)
        try:
            projection = Projection(database, self._vault)
            for message in self._to_repair.values():
                projection.correct(message.content_hash, message.status, message.privacy, message.is_erased)
        finally:
            database.close()
        return len(self._to_repair)

    def _check(
        self, connection: sqlite3.Connection, message: LedgerMessage, levels: dict[int, str], is_behind: bool
    ) -> Iterator[str]:
        row = connection.execute("SELECT * FROM record WHERE content_hash = ?", (message.content_hash,)).fetchone()
        if row is None or row["seq"] is None:
            if is_behind:
                self._note("behind", message.content_hash, "the memory has not followed the ledger here yet")
            else:
                self._note("record_missing", message.content_hash, "the memory does not know it")
            return
        has_text = self._check_text(connection, message, row)
        if has_text:
            yield "texts"
        if not is_behind:
            self._check_facts(message, row)
        if row["to_index"]:
            yield "waiting"
        else:
            self._check_indexes(message, row, levels.get(row["id"]), has_text)

    def _check_text(self, connection: sqlite3.Connection, message: LedgerMessage, row: sqlite3.Row) -> bool:
        """Whether the record has a text, and it is the one that was hashed."""
        at_rest = AtRest(row["salt"], row["text"], row["sealed"])
        problem = find_text_problem(
            self._vault, connection, message.content_hash, message.thread_id, message.author, at_rest
        )
        if problem is not None and not (problem.kind == "text_missing" and message.is_erased):
            self._note(problem.kind, message.content_hash, problem.detail)
        return problem is None

    def _check_facts(self, message: LedgerMessage, row: sqlite3.Row) -> None:
        found = (row["status"], row["privacy"], bool(row["is_erased"]))
        expected = (message.status, message.privacy, message.is_erased)
        if found != expected:
            self._note_repairable("facts_differ", message, f"memory has {found}, the ledger {expected}")
        elif row["privacy"] == Level.THREAD and row["text"] is not None:
            self._note_repairable("not_sealed", message, "a private text lies in clear")

    def _check_indexes(self, message: LedgerMessage, row: sqlite3.Row, level: str | None, has_text: bool) -> None:
        may_be_found = message.status == "approved" and message.privacy != Level.ENCRYPTED and not message.is_erased
        if not may_be_found or not has_text:
            if level is not None or row["embedding"] is not None:
                self._note_repairable("still_found", message, "an index holds what must not be found")
        elif level != message.privacy:
            self._note_repairable("not_indexed", message, f"the keyword index has it as {level or 'nothing'}")
        elif row["embedding"] is None or row["embedder"] != self._embedder:
            self._note_repairable("not_embedded", message, f"its embedding is of {row['embedder'] or 'no embedder'}")

    def _note_repairable(self, kind: str, message: LedgerMessage, detail: str) -> None:
        self._note(kind, message.content_hash, detail)
        self._to_repair[message.content_hash] = message

    def _note(self, kind: str, content_hash: str, detail: str) -> None:
        self._counts[kind] += 1
        if len(self._first) < _SHOWN:
            self._first.append(Problem(kind=kind, content_hash=content_hash, detail=detail))


def _indexed_levels(connection: sqlite3.Connection) -> dict[int, str]:
    """The privacy level that the keyword index has of each record."""
    if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'keyword_points'").fetchone():
        return {}  # no node has indexed anything yet
    return {row[0]: row[1] for row in connection.execute("SELECT point_id, privacy FROM keyword_points")}
