"""The shapes in which ledger and memory are shown. Amounts are decimal strings of uchoir, times end in ``_ms``."""

from typing import Any, Final

from msgspec import Struct

from choir.api.access import Shown
from choir.memory.privacy import View

# The fields of events that hold uchoir: decimal strings in every answer, since they may pass 2^53.
_AMOUNTS: Final = frozenset(
    {"amount", "stake", "to_author", "to_thread", "to_treasury", "new_message_rewards", "prior_rewards"}
)


class Accepted(Struct, frozen=True, kw_only=True):
    tx_hash: str


class MessageView(Struct, frozen=True, kw_only=True):
    """A message or spec as the asker may see it.

    ``access`` says how much that is: ``full`` (text and salt, unless erased; resonance and coherence, where the asker
    may read all that it cites), ``limited`` (a
    ``summary`` of premium content), ``minimal`` (who, when, and ``at_most_characters``) or ``existence``.
    """

    content_hash: str
    thread_id: str
    author: str
    created_at_ms: int
    kind: str
    status: str
    privacy: str
    is_erased: bool
    priors: tuple[str, ...]
    access: str
    text: str | None
    salt: str | None
    summary: str | None
    at_most_characters: int | None
    resonance: float | None
    coherence: float | None
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
    access: str
    text: str | None
    summary: str | None


def message_view(shown: Shown) -> MessageView:
    """A record as it is shown to one asker."""
    record, is_full = shown.record, shown.view is View.FULL
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
        access=shown.view.value,
        text=shown.text,
        salt=record.salt if is_full else None,
        summary=shown.summary,
        at_most_characters=shown.at_most_characters,
        resonance=shown.resonance,
        coherence=shown.coherence,
        tx_hash=record.tx_hash,
    )


def spec_view(shown: Shown) -> SpecView:
    """A record of kind ``spec``, as it is shown to one asker."""
    record = shown.record
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
        access=shown.view.value,
        text=shown.text,
        summary=shown.summary,
    )


def event_view(event: dict[str, Any]) -> dict[str, Any]:
    """An event of the ledger, given as its fields, with its amounts as strings."""
    view: dict[str, Any] = {name: str(value) if name in _AMOUNTS else value for name, value in event.items()}
    if "to_approvers" in event:
        view["to_approvers"] = {address: str(share) for address, share in event["to_approvers"].items()}
    return view
