"""The ledger's events as tables for reading: what is in a thread, who may vote, what happened to an account.

Everything here can be rebuilt by following the events from 0. A batch and the sequence number it ends with are written
in one transaction, so an event is applied exactly once.
"""

import sqlite3
from collections.abc import Mapping, Sequence
from typing import Any, Final, Protocol

import msgspec

from choir.memory.courtesy import courteous
from choir.memory.database import Database
from choir.memory.privacy import Level
from choir.memory.records import SpecState
from choir.memory.vault import AtRest, Vault

# What events decide of a record.
FACTS: Final = (
    "thread_id",
    "author",
    "status",
    "kind",
    "privacy",
    "priors",
    "is_erased",
    "created_at_ms",
    "tx_hash",
    "seq",
    "spec",
)


class LedgerEvent(Protocol):
    """What the memory needs of a sequenced event (the engine's `SequencedEvent`)."""

    @property
    def seq(self) -> int: ...
    @property
    def height(self) -> int: ...
    @property
    def time_ms(self) -> int: ...
    @property
    def tx_hash(self) -> str | None: ...
    @property
    def fields(self) -> dict[str, Any]: ...


class Projection:
    """Applies events to the database. Its methods block on the file: call them on a thread."""

    def __init__(self, database: Database, vault: Vault) -> None:
        self._database = database
        self._vault = vault

    def last_seq(self) -> int:
        row = self._database.reader().execute("SELECT value FROM meta WHERE key = 'last_seq'").fetchone()
        return int(row[0])

    def skip_to(self, seq: int) -> None:
        """Begin after event ``seq``: what came before is not to be had (the ledger began from a snapshot)."""
        self._database.write(
            lambda db: db.execute("UPDATE meta SET value = ? WHERE key = 'last_seq'", (seq,)), is_durable=False
        )

    def apply(self, events: Sequence[LedgerEvent], *, is_repeated: bool = False) -> None:
        """Apply events that follow the last one applied, all or none. Raises ``ValueError`` for a gap, and for a repeat
        unless all of them ``is_repeated``."""
        if is_repeated and events[-1].seq == self.last_seq():
            return self._database.forget_log()
        batch = _Batch(self._vault)
        self._database.write(lambda connection: batch.apply(connection, events), is_durable=False)
        if batch.has_removed_content:
            self._database.forget_log()
        return None

    def correct(self, content_hash: str, facts: Mapping[str, Any]) -> None:
        """Bring a damaged record back to the ``facts`` (of `FACTS`) that the ledger knows of it, and have it indexed
        anew."""
        batch = _Batch(self._vault)
        self._database.write(lambda connection: batch.correct(connection, content_hash, facts), is_durable=True)
        if batch.has_removed_content:
            self._database.forget_log()

    def threads(self, *, before_seq: int, limit: int, co_author: str | None) -> list[tuple[str, int]]:
        """(thread id, sequence number), newest first."""
        if co_author is None:
            query = "SELECT thread_id, seq FROM thread WHERE seq < ? ORDER BY seq DESC LIMIT ?"
            arguments: tuple[Any, ...] = (before_seq, limit)
        else:
            query = "SELECT thread_id, seq FROM co_author WHERE address = ? AND seq < ? ORDER BY seq DESC LIMIT ?"
            arguments = (co_author, before_seq, limit)
        return [(row[0], row[1]) for row in self._database.reader().execute(query, arguments)]

    def activity(self, address: str, *, before_seq: int, limit: int) -> list[dict[str, Any]]:
        """What happened to an account, newest first."""
        rows = self._database.reader().execute(
            "SELECT body FROM activity WHERE address = ? AND seq < ? ORDER BY seq DESC LIMIT ?",
            (address, before_seq, limit),
        )
        return [msgspec.json.decode(row[0]) for row in rows]


class _Batch:
    """One batch of events on its way into the tables; one method per type of event."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault
        self.has_removed_content = False

    def apply(self, connection: sqlite3.Connection, events: Sequence[LedgerEvent]) -> None:
        last_seq = connection.execute("SELECT value FROM meta WHERE key = 'last_seq'").fetchone()[0]
        for event in courteous(events):
            if event.seq != last_seq + 1:
                raise ValueError(f"event {event.seq} does not follow event {last_seq}")
            last_seq = event.seq
            handler = getattr(self, event.fields["type"], None)
            if handler is not None:
                handler(connection, event)
            _record_activity(connection, event)
        connection.execute("UPDATE meta SET value = ? WHERE key = 'last_seq'", (last_seq,))

    def thread_created(self, connection: sqlite3.Connection, event: LedgerEvent) -> None:
        thread_id, creator = event.fields["thread_id"], event.fields["creator"]
        connection.execute("INSERT INTO thread VALUES (?, ?, ?)", (thread_id, creator, event.seq))
        connection.execute("INSERT INTO co_author VALUES (?, ?, ?)", (creator, event.seq, thread_id))

    def co_author_added(self, connection: sqlite3.Connection, event: LedgerEvent) -> None:
        thread_id, co_author = event.fields["thread_id"], event.fields["co_author"]
        connection.execute("INSERT INTO co_author VALUES (?, ?, ?)", (co_author, event.seq, thread_id))
        self._vault.share(connection, thread_id, (co_author,))

    def message_posted(self, connection: sqlite3.Connection, event: LedgerEvent) -> None:
        self._commit_record(connection, event, "message", "approved", None)
        _insert_citations(connection, event.fields["content_hash"], event.fields["priors"], event.seq)

    def spec_submitted(self, connection: sqlite3.Connection, event: LedgerEvent) -> None:
        fields = event.fields
        spec = SpecState(stake=fields["stake"], expires_at_ms=fields["expires_at_ms"], voters=tuple(fields["voters"]))
        self._commit_record(connection, event, "spec", "open", spec)
        rows = [(voter, event.seq, fields["content_hash"]) for voter in spec.voters]
        connection.executemany("INSERT INTO voter VALUES (?, ?, ?)", rows)

    def approval_cast(self, connection: sqlite3.Connection, event: LedgerEvent) -> None:
        fields = event.fields
        row = connection.execute("SELECT spec FROM record WHERE content_hash = ?", (fields["spec_id"],)).fetchone()
        if row is None or row[0] is None:
            return  # submitted before the snapshot that the ledger began from
        spec = msgspec.json.decode(row[0], type=SpecState)
        if fields["approve"]:
            spec = msgspec.structs.replace(spec, approvals=(*spec.approvals, fields["voter"]))
        else:
            spec = msgspec.structs.replace(spec, denials=(*spec.denials, fields["voter"]))
        connection.execute("UPDATE record SET spec = ? WHERE content_hash = ?", (_json(spec), fields["spec_id"]))

    def spec_settled(self, connection: sqlite3.Connection, event: LedgerEvent) -> None:
        outcome, spec_id = event.fields["outcome"], event.fields["spec_id"]
        row = connection.execute(
            "UPDATE record SET status = ?, to_index = ? WHERE content_hash = ? RETURNING priors",
            (outcome, outcome == "approved", spec_id),
        ).fetchone()
        if row is not None and outcome == "approved":
            _insert_citations(connection, spec_id, msgspec.json.decode(row[0]), event.seq)

    def privacy_changed(self, connection: sqlite3.Connection, event: LedgerEvent) -> None:
        """Move the content into the form of its new level."""
        content_hash, level = event.fields["content_hash"], event.fields["level"]
        connection.execute(
            # The indexer forgets the embedding: it must take it out of the centroid too.
            "UPDATE record SET privacy = ?, summary = NULL, to_index = (status = 'approved') WHERE content_hash = ?",
            (level, content_hash),
        )
        self._store_as(connection, event.fields["thread_id"], content_hash, level)

    def message_erased(self, connection: sqlite3.Connection, event: LedgerEvent) -> None:
        connection.execute(
            "UPDATE record SET is_erased = 1, text = NULL, salt = NULL, sealed = NULL, characters = 0, summary = NULL,"
            " coherence = NULL, resonance = NULL, to_index = 1 WHERE content_hash = ?",
            (event.fields["content_hash"],),
        )
        connection.execute(
            "UPDATE citation SET resonance = NULL, phase = NULL, entanglement = NULL"
            " WHERE prior = ?1 OR content_hash = ?1",
            (event.fields["content_hash"],),
        )
        self.has_removed_content = True

    def correct(self, connection: sqlite3.Connection, content_hash: str, facts: Mapping[str, Any]) -> None:
        values = ", ".join(f"{name} = ?" for name in FACTS if name in facts)
        connection.execute(
            f"UPDATE record SET {values}, summary = NULL, to_index = 1 WHERE content_hash = ?",  # noqa: S608  ours
            (*(facts[name] for name in FACTS if name in facts), content_hash),
        )
        if facts["is_erased"]:
            connection.execute(
                "UPDATE record SET text = NULL, salt = NULL, sealed = NULL, characters = 0 WHERE content_hash = ?",
                (content_hash,),
            )
            self.has_removed_content = True
        self._store_as(connection, facts["thread_id"], content_hash, facts["privacy"])

    def _commit_record(
        self, connection: sqlite3.Connection, event: LedgerEvent, kind: str, status: str, spec: SpecState | None
    ) -> None:
        """Mark the pending record, or make one without text when the content never reached this node."""
        fields = event.fields
        connection.execute(
            "INSERT INTO record (content_hash, thread_id, author, received_at_ms, status, kind, privacy, priors,"
            " created_at_ms, tx_hash, seq, spec, to_index) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
            " ON CONFLICT (content_hash) DO UPDATE SET status = excluded.status, kind = excluded.kind,"
            " privacy = excluded.privacy, priors = excluded.priors, created_at_ms = excluded.created_at_ms,"
            " tx_hash = excluded.tx_hash, seq = excluded.seq, spec = excluded.spec, to_index = excluded.to_index",
            (
                fields["content_hash"],
                fields["thread_id"],
                fields["author"],
                event.time_ms,
                status,
                kind,
                fields["privacy"],
                _json(fields["priors"]),
                event.time_ms,
                event.tx_hash,
                event.seq,
                None if spec is None else _json(spec),
                status == "approved",
            ),
        )
        self._store_as(connection, fields["thread_id"], fields["content_hash"], fields["privacy"])

    def _store_as(self, connection: sqlite3.Connection, thread_id: str, content_hash: str, level: str) -> None:
        """Bring a record's content into the form of ``level``, where it is in the other."""
        row = connection.execute(
            "SELECT salt, text, sealed FROM record WHERE content_hash = ?", (content_hash,)
        ).fetchone()
        at_rest = AtRest(*row)
        is_sealed, must_be_sealed = at_rest.sealed is not None, level == Level.THREAD
        if is_sealed != must_be_sealed:
            content = self._vault.reveal(connection, thread_id, content_hash, at_rest)
            if content is not None:
                connection.execute(
                    "UPDATE record SET salt = ?, text = ?, sealed = ? WHERE content_hash = ?",
                    (*self._vault.protect(connection, thread_id, content_hash, *content, level), content_hash),
                )
                self.has_removed_content |= must_be_sealed
        if must_be_sealed:
            self._share_with_co_authors(connection, thread_id)

    def _share_with_co_authors(self, connection: sqlite3.Connection, thread_id: str) -> None:
        rows = connection.execute("SELECT address FROM co_author WHERE thread_id = ?", (thread_id,))
        self._vault.share(connection, thread_id, [row[0] for row in rows])


def _insert_citations(connection: sqlite3.Connection, content_hash: str, priors: Sequence[str], seq: int) -> None:
    connection.executemany(
        "INSERT INTO citation (prior, seq, content_hash) VALUES (?, ?, ?)",
        [(prior, seq, content_hash) for prior in priors],
    )


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()


# The fields of an event that name an account it concerns.
_PARTIES: Final = ("creator", "author", "voter", "co_author", "sender", "to", "by", "account")


def parties_of(fields: Mapping[str, Any]) -> set[str]:
    """The accounts that an event concerns: it is part of their history."""
    parties = {fields[name] for name in _PARTIES if fields.get(name) is not None}
    parties.update(fields.get("to_approvers", ()))
    return parties


def _record_activity(connection: sqlite3.Connection, event: LedgerEvent) -> None:
    parties = parties_of(event.fields)
    if not parties:
        return
    body = {
        "seq": event.seq,
        "height": event.height,
        "time_ms": event.time_ms,
        "tx_hash": event.tx_hash,
        **event.fields,
    }
    encoded = msgspec.json.encode(body).decode()
    connection.executemany(
        "INSERT INTO activity VALUES (?, ?, ?)", [(party, event.seq, encoded) for party in sorted(parties)]
    )
