"""Everything that the memory keeps against the ledger and the texts: is each text the one that was hashed, is it found
by those who may find it and by nobody else, and do the pages show what happened (design: memory, "The record")?

Reads with one connection that cannot write, and with a replay of the ledger in a temporary file. What follows from the
ledger and the texts can be mended (`check_repair.py`); a text that is not here cannot be made.
"""

import sqlite3
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple, Self

from msgspec import Struct

from choir.memory.check_embeddings import EmbedderFacts, EmbeddingCheck
from choir.memory.check_keywords import KeywordCheck
from choir.memory.check_repair import Repair
from choir.memory.holdings import find_text_problem
from choir.memory.indexing import KEYWORDS, VECTORS
from choir.memory.keyword import KeywordEntry
from choir.memory.privacy import Level
from choir.memory.projection import FACTS, LedgerEvent
from choir.memory.replay import TABLES, LedgerMessage, Replay, missing_rows, surplus_rows
from choir.memory.summary import summarise_limited
from choir.memory.vault import AtRest, Vault
from choir.primitives.signatures import SigningKey

_SHOWN: Final = 20
# Kinds of problems that the ledger and the stored texts suffice to mend.
REPAIRABLE: Final = frozenset(
    {
        "centroid_differs",
        "facts_differ",
        "keywords_differ",
        "not_embedded",
        "not_indexed",
        "not_sealed",
        "projection_differs",
        "still_found",
        "summary_differs",
    }
)


class LedgerCopy(NamedTuple):
    """What the check needs of the ledger. ``events`` in batches, those after ``first_seq``, up to ``last_seq``."""

    messages: Iterable[LedgerMessage]
    events: Iterable[Sequence[LedgerEvent]]
    first_seq: int
    last_seq: int


class Problem(Struct, frozen=True, kw_only=True):
    """``kind`` is one of `REPAIRABLE`, or: ahead, behind, record_missing, text_missing, unreadable, hash_differs,
    not_on_ledger. ``content_hash`` is empty where it is about no single message."""

    kind: str
    content_hash: str
    detail: str


class MemoryReport(Struct, frozen=True, kw_only=True):
    """``texts`` were hashed again; ``waiting`` records will be indexed when the node runs; the embedder has ``refused``
    some, which are found by their words only. ``problems`` counts by kind, ``first_problems`` are some of them;
    ``repaired`` were mended."""

    messages: int
    texts: int
    waiting: int
    refused: int
    problems: dict[str, int]
    first_problems: tuple[Problem, ...]
    repaired: int = 0

    @property
    def repairable(self) -> int:
        """How many problems `MemoryCheck.repair` mends."""
        return sum(count for kind, count in self.problems.items() if kind in REPAIRABLE)

    @property
    def unrepaired(self) -> int:
        """How many problems are still there."""
        return sum(self.problems.values()) - self.repaired


class MemoryCheck:
    """One look at ``memory.db`` in ``directory``: a context manager."""

    def __init__(self, directory: Path, node_key: SigningKey, embedder: EmbedderFacts) -> None:
        self._directory = directory
        self._vault = Vault(node_key)
        self._embeddings = EmbeddingCheck(self._vault, embedder)
        self._counts: Counter[str] = Counter()
        self._first: list[Problem] = []
        self._totals: Counter[str] = Counter()
        self._is_behind = False

    def __enter__(self) -> Self:
        path = self._directory / "memory.db"
        self._reader = sqlite3.connect(f"{path.resolve().as_uri()}?mode=rw", uri=True, isolation_level=None)
        self._reader.row_factory = sqlite3.Row
        self._replay: Replay | None = None
        return self

    def __exit__(self, *_: object) -> None:
        self._reader.close()
        if self._replay is not None:
            self._replay.close()

    def run(self, ledger: LedgerCopy, report: Callable[[int, int], None]) -> MemoryReport:
        """Check everything; ``report(done, total)`` tells how far it is. Raises ``sqlite3.Error`` for a broken file or
        a full disk, and ``MemoryUnusable`` where the replay cannot be begun."""
        self._replay = replay = Replay(self._vault, ledger.first_seq)
        self._reader.execute("ATTACH ? AS fresh", (replay.path.as_uri(),))
        self._reader.execute("PRAGMA query_only = 1")
        (last_seq,) = self._reader.execute("SELECT value FROM meta WHERE key = 'last_seq'").fetchone()
        self._is_behind = last_seq < ledger.last_seq
        if last_seq > ledger.last_seq:
            self._note("ahead", "", f"the memory has followed the ledger to event {last_seq}, which it does not have")
        messages = replay.keep_messages(ledger.messages)
        events = min(last_seq, ledger.last_seq) - ledger.first_seq
        total = max(events, 0) + messages
        done = self._apply_events(replay, ledger, events, lambda applied: report(applied, total))
        keywords = KeywordCheck(self._reader, self._vault.term_key())
        for row in self._reader.execute(_every_record()):
            self._check(replay, keywords, row)
            done += 1
            report(done, total)
        self._check_presence()
        self._check_tables(ledger.first_seq)
        for detail in keywords.find_statistics_problems():
            self._note("keywords_differ", "", detail)
        for centroid in self._embeddings.wrong_centroids(self._reader):
            self._note("centroid_differs", "", f"the mean embedding of thread {centroid.thread_id}")
        return MemoryReport(
            messages=messages,
            texts=self._totals["texts"],
            waiting=self._totals["waiting"],
            refused=self._totals["refused"],
            problems=dict(sorted(self._counts.items())),
            first_problems=tuple(self._first),
        )

    def repair(self, first_seq: int) -> None:
        """Mend what `run` found and can be mended; what is to be embedded is marked, and embedded when the node runs.
        ``first_seq`` is the ledger's. Raises ``MemoryUnusable`` and ``sqlite3.Error``."""
        if self._replay is not None:
            repair = Repair(self._directory, self._vault, self._reader, self._replay, self._embeddings)
            repair.run(first_seq, has_wrong_keywords=not _KEYWORD_KINDS.isdisjoint(self._counts))

    def _apply_events(self, replay: Replay, ledger: LedgerCopy, wanted: int, report: Callable[[int], None]) -> int:
        """Up to where the memory has followed the ledger."""
        applied = 0
        for batch in ledger.events:
            batch = batch[: max(wanted - applied, 0)]
            if not batch:
                break
            replay.apply(batch)
            applied += len(batch)
            report(applied)
        return applied

    def _check(self, replay: Replay, keywords: KeywordCheck, row: sqlite3.Row) -> None:
        content_hash = row["content_hash"]
        if row["seq"] is None and self._is_behind and row["fresh_seq"] is None:
            return self._note("behind", content_hash, "the memory has not followed the ledger here yet")
        text = self._read_text(row)
        if text is not None:
            self._totals["texts"] += 1
        if not self._has_facts(row):
            return self._note_repairable(replay, "facts_differ", content_hash, _show_differences(row))
        if row["privacy"] == Level.THREAD and row["text"] is not None:
            self._note_repairable(replay, "not_sealed", content_hash, "a private text lies in clear")
        if row["to_index"] in (KEYWORDS, VECTORS):
            self._totals["waiting"] += 1
        elif row["to_index"]:
            self._totals["refused"] += 1
        if row["to_index"] != KEYWORDS:
            self._check_indexes(replay, keywords, row, text)
        return None

    def _read_text(self, row: sqlite3.Row) -> str | None:
        """The text, if it is the one that was hashed."""
        content_hash, thread_id, author = row["content_hash"], row["ledger_thread_id"], row["ledger_author"]
        at_rest = AtRest(row["salt"], row["text"], row["sealed"])
        problem = find_text_problem(self._vault, self._reader, content_hash, thread_id, author, at_rest)
        if problem is None:
            content = self._vault.reveal(self._reader, thread_id, content_hash, at_rest)
            return None if content is None else content[1]
        if not (problem.kind == "text_missing" and row["ledger_is_erased"]):
            self._note(problem.kind, content_hash, problem.detail)
        return None

    def _has_facts(self, row: sqlite3.Row) -> bool:
        """Whether the record is what the events say, and, unless it lags behind, what the state says."""
        if row["fresh_seq"] is not None and any(row[name] != row[f"fresh_{name}"] for name in FACTS):
            return False
        return self._is_behind or all(row[name] == row[f"ledger_{name}"] for name in _STATE_FACTS)

    def _check_indexes(self, replay: Replay, keywords: KeywordCheck, row: sqlite3.Row, text: str | None) -> None:
        content_hash = row["content_hash"]
        may_be_found = row["status"] == "approved" and row["privacy"] != Level.ENCRYPTED and not row["is_erased"]
        summary = None
        if not may_be_found or text is None:
            if keywords.has(row["id"]) or (row["embedding"] is not None and row["to_index"] != VECTORS):
                self._note_repairable(replay, "still_found", content_hash, "an index holds what must not be found")
        else:
            found = keywords.find_problem(_keyword_entry(row, text))
            if found is not None:
                self._note_repairable(replay, found.kind, content_hash, found.detail)
            detail = None if row["to_index"] else self._embeddings.find_problem(self._reader, row)
            if detail is not None:
                self._note_repairable(replay, "not_embedded", content_hash, detail)
            summary = summarise_limited(text) if row["privacy"] == Level.PREMIUM else None
        characters = row["characters"] if text is None else len(text)
        if (row["summary"], row["characters"]) != (summary, characters):
            detail = "the summary for others, or the text's length, is another"
            self._note_repairable(replay, "summary_differs", content_hash, detail)

    def _check_presence(self) -> None:
        """Messages that only one of the two knows."""
        missing = self._reader.execute(
            "SELECT content_hash, EXISTS (SELECT 1 FROM fresh.record WHERE content_hash = known.content_hash)"
            " FROM fresh.ledger_message AS known"
            " WHERE NOT EXISTS (SELECT 1 FROM main.record WHERE content_hash = known.content_hash)"
        )
        for content_hash, was_followed in missing:
            if self._is_behind and not was_followed:
                self._note("behind", content_hash, "the memory has not followed the ledger here yet")
            else:
                self._note("record_missing", content_hash, "the memory does not know it")
        surplus = self._reader.execute(
            "SELECT content_hash FROM main.record WHERE seq IS NOT NULL AND content_hash NOT IN"
            " (SELECT content_hash FROM fresh.ledger_message)"
        )
        for (content_hash,) in surplus:
            self._note("not_on_ledger", content_hash, "the memory has it, the ledger does not")

    def _check_tables(self, first_seq: int) -> None:
        for table in TABLES:
            (missing,) = self._reader.execute(f"SELECT count(*) FROM ({missing_rows(table)})").fetchone()  # noqa: S608
            (surplus,) = self._reader.execute(
                f"SELECT count(*) FROM ({surplus_rows(table)})",  # noqa: S608  the texts are ours
                (first_seq,),
            ).fetchone()
            if missing or surplus:
                self._note("projection_differs", "", f"{table}: {missing} rows are missing, {surplus} are too many")

    def _note_repairable(self, replay: Replay, kind: str, content_hash: str, detail: str) -> None:
        self._note(kind, content_hash, detail)
        replay.mark(content_hash, kind)

    def _note(self, kind: str, content_hash: str, detail: str) -> None:
        self._counts[kind] += 1
        if len(self._first) < _SHOWN:
            self._first.append(Problem(kind=kind, content_hash=content_hash, detail=detail))


_STATE_FACTS: Final = ("thread_id", "author", "status", "privacy", "priors", "is_erased", "created_at_ms")
_KEYWORD_KINDS: Final = frozenset({"not_indexed", "keywords_differ", "still_found"})


def _every_record() -> str:
    """The query for every record of a message on the ledger, beside what its events and the state say of it."""
    events = ", ".join(f"again.{name} AS fresh_{name}" for name in FACTS)
    state = ", ".join(f"known.{name} AS ledger_{name}" for name in _STATE_FACTS)
    return (
        f"SELECT record.*, {events}, {state} FROM main.record"  # noqa: S608  names are ours
        " CROSS JOIN fresh.ledger_message AS known ON known.content_hash = record.content_hash"
        " LEFT JOIN fresh.record AS again ON again.content_hash = record.content_hash ORDER BY record.id"
    )


def _keyword_entry(row: sqlite3.Row, text: str) -> KeywordEntry:
    return KeywordEntry(row["id"], text, row["thread_id"], row["author"], row["created_at_ms"], row["privacy"])


def _show_differences(row: sqlite3.Row) -> str:
    def expected(name: str) -> Any:
        is_state = name in _STATE_FACTS and row["fresh_seq"] is None
        return row[f"ledger_{name}"] if is_state else row[f"fresh_{name}"]

    names = [name for name in FACTS if row[name] != expected(name)] or list(_STATE_FACTS)
    return "; ".join(f"memory has {name} {row[name]!r}, the ledger {expected(name)!r}" for name in names)
