"""The shapes in which ledger and memory are shown. Amounts are decimal strings of uchoir, times end in ``_ms``."""

from msgspec import Struct

from choir.memory.records import Record


class Accepted(Struct, frozen=True, kw_only=True):
    tx_hash: str


class MessageView(Struct, frozen=True, kw_only=True):
    """A message or spec. ``text`` and ``salt`` are null where the asker may not read it, and when it was erased."""

    content_hash: str
    thread_id: str
    author: str
    created_at_ms: int
    kind: str
    status: str
    privacy: str
    is_erased: bool
    priors: tuple[str, ...]
    text: str | None
    salt: str | None
    tx_hash: str


class SpecView(Struct, frozen=True, kw_only=True):
    spec_id: str
    thread_id: str
    author: str
    stake: str
    status: str
    privacy: str
    created_at_ms: int
    expires_at_ms: int
    voters: tuple[str, ...]
    approvals: tuple[str, ...]
    denials: tuple[str, ...]
    priors: tuple[str, ...]
    text: str | None


def message_view(record: Record, text: str | None) -> MessageView:
    """``text`` is what the asker may read of it."""
    return MessageView(
        content_hash=record.content_hash,
        thread_id=record.thread_id,
        author=record.author,
        created_at_ms=record.created_at_ms,
        kind=record.kind,
        status=record.status,
        privacy=record.privacy,
        is_erased=record.is_erased,
        priors=record.priors,
        text=text,
        salt=record.salt if text is not None else None,
        tx_hash=record.tx_hash,
    )


def spec_view(record: Record, text: str | None) -> SpecView:
    """A record of kind ``spec``."""
    spec = record.spec
    if spec is None:
        raise ValueError(f"record {record.content_hash} is no spec")
    return SpecView(
        spec_id=record.content_hash,
        thread_id=record.thread_id,
        author=record.author,
        stake=str(spec.stake),
        status=record.status,
        privacy=record.privacy,
        created_at_ms=record.created_at_ms,
        expires_at_ms=spec.expires_at_ms,
        voters=spec.voters,
        approvals=spec.approvals,
        denials=spec.denials,
        priors=record.priors,
        text=text,
    )
