"""The ledger's events as tables for reading: what is in a thread, who may vote, what happened to an account.

Everything here can be rebuilt by following the events from 0. A batch and the sequence number it ends with are written
in one transaction, so an event is applied exactly once.
"""

import sqlite3
from collections.abc import Callable, Sequence
from typing import Any, Final, Protocol

import msgspec

from choir.memory.database import Database
from choir.memory.records import SpecState


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

    def __init__(self, database: Database) -> None:
        self._database = database

    def last_seq(self) -> int:
        row = self._database.reader().execute("SELECT value FROM meta WHERE key = 'last_seq'").fetchone()
        return int(row[0])

    def apply(self, events: Sequence[LedgerEvent]) -> None:
        """Apply events that follow the last one applied, all or none. Raises ``ValueError`` for a gap or a repeat."""
        self._database.write(lambda connection: _apply_all(connection, events), is_durable=False)

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


def _apply_all(connection: sqlite3.Connection, events: Sequence[LedgerEvent]) -> None:
    last_seq = connection.execute("SELECT value FROM meta WHERE key = 'last_seq'").fetchone()[0]
    for event in events:
        if event.seq != last_seq + 1:
            raise ValueError(f"event {event.seq} does not follow event {last_seq}")
        last_seq = event.seq
        handler = _HANDLERS.get(event.fields["type"])
        if handler is not None:
            handler(connection, event)
        _record_activity(connection, event)
    connection.execute("UPDATE meta SET value = ? WHERE key = 'last_seq'", (last_seq,))


def _thread_created(connection: sqlite3.Connection, event: LedgerEvent) -> None:
    fields = event.fields
    connection.execute("INSERT INTO thread VALUES (?, ?, ?)", (fields["thread_id"], fields["creator"], event.seq))
    connection.execute("INSERT INTO co_author VALUES (?, ?, ?)", (fields["creator"], event.seq, fields["thread_id"]))


def _co_author_added(connection: sqlite3.Connection, event: LedgerEvent) -> None:
    fields = event.fields
    connection.execute("INSERT INTO co_author VALUES (?, ?, ?)", (fields["co_author"], event.seq, fields["thread_id"]))


def _message_posted(connection: sqlite3.Connection, event: LedgerEvent) -> None:
    _commit_record(connection, event, "message", "approved", None)


def _spec_submitted(connection: sqlite3.Connection, event: LedgerEvent) -> None:
    fields = event.fields
    spec = SpecState(stake=fields["stake"], expires_at_ms=fields["expires_at_ms"], voters=tuple(fields["voters"]))
    _commit_record(connection, event, "spec", "open", spec)
    connection.executemany(
        "INSERT INTO voter VALUES (?, ?, ?)", [(voter, event.seq, fields["content_hash"]) for voter in spec.voters]
    )


def _commit_record(
    connection: sqlite3.Connection, event: LedgerEvent, kind: str, status: str, spec: SpecState | None
) -> None:
    """Mark the pending record, or make one without text when the content never reached this node."""
    fields = event.fields
    connection.execute(
        "INSERT INTO record (content_hash, thread_id, author, received_at_ms, status, kind, privacy, priors,"
        " created_at_ms, tx_hash, seq, spec) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
        " ON CONFLICT (content_hash) DO UPDATE SET status = excluded.status, kind = excluded.kind,"
        " privacy = excluded.privacy, priors = excluded.priors, created_at_ms = excluded.created_at_ms,"
        " tx_hash = excluded.tx_hash, seq = excluded.seq, spec = excluded.spec",
        (
            fields["content_hash"],
            fields["thread_id"],
            fields["author"],
            event.time_ms,
            status,
            kind,
            fields["privacy"],
            msgspec.json.encode(fields["priors"]).decode(),
            event.time_ms,
            event.tx_hash,
            event.seq,
            None if spec is None else msgspec.json.encode(spec).decode(),
        ),
    )


def _approval_cast(connection: sqlite3.Connection, event: LedgerEvent) -> None:
    fields = event.fields
    row = connection.execute("SELECT spec FROM record WHERE content_hash = ?", (fields["spec_id"],)).fetchone()
    spec = msgspec.json.decode(row[0], type=SpecState)
    if fields["approve"]:
        spec = msgspec.structs.replace(spec, approvals=(*spec.approvals, fields["voter"]))
    else:
        spec = msgspec.structs.replace(spec, denials=(*spec.denials, fields["voter"]))
    connection.execute(
        "UPDATE record SET spec = ? WHERE content_hash = ?",
        (msgspec.json.encode(spec).decode(), fields["spec_id"]),
    )


def _spec_settled(connection: sqlite3.Connection, event: LedgerEvent) -> None:
    connection.execute(
        "UPDATE record SET status = ? WHERE content_hash = ?", (event.fields["outcome"], event.fields["spec_id"])
    )


def _privacy_changed(connection: sqlite3.Connection, event: LedgerEvent) -> None:
    connection.execute(
        "UPDATE record SET privacy = ? WHERE content_hash = ?", (event.fields["level"], event.fields["content_hash"])
    )


def _message_erased(connection: sqlite3.Connection, event: LedgerEvent) -> None:
    connection.execute(
        "UPDATE record SET is_erased = 1, text = NULL, salt = NULL WHERE content_hash = ?",
        (event.fields["content_hash"],),
    )


_HANDLERS: Final[dict[str, Callable[[sqlite3.Connection, LedgerEvent], None]]] = {
    "thread_created": _thread_created,
    "co_author_added": _co_author_added,
    "message_posted": _message_posted,
    "spec_submitted": _spec_submitted,
    "approval_cast": _approval_cast,
    "spec_settled": _spec_settled,
    "privacy_changed": _privacy_changed,
    "message_erased": _message_erased,
}

# The fields of an event that name an account it concerns.
_PARTIES: Final = ("creator", "author", "voter", "co_author", "sender", "to", "by", "account")


def _record_activity(connection: sqlite3.Connection, event: LedgerEvent) -> None:
    parties = {event.fields[name] for name in _PARTIES if event.fields.get(name) is not None}
    parties.update(event.fields.get("to_approvers", ()))
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
