"""Sequenced events as the ledger sends them, for tests of the memory."""

from typing import Any

from choir.engine.protocol import SequencedEvent
from tests.support.chain import digest


def event(seq: int, kind: str, **fields: Any) -> SequencedEvent:
    return SequencedEvent(
        seq=seq, height=seq, time_ms=1000 + seq, tx_hash=digest(f"tx {seq}"), fields={"type": kind, **fields}
    )


def posted(seq: int, content_hash: str, thread_id: str = "0" * 32, author: str = "author") -> SequencedEvent:
    return event(
        seq,
        "message_posted",
        thread_id=thread_id,
        content_hash=content_hash,
        author=author,
        privacy="public",
        priors=[],
    )


def submitted(seq: int, content_hash: str, *, author: str, thread_id: str, voters: tuple[str, ...]) -> SequencedEvent:
    return event(
        seq,
        "spec_submitted",
        thread_id=thread_id,
        content_hash=content_hash,
        author=author,
        privacy="public",
        priors=[],
        stake=100_000_000,
        expires_at_ms=9_000_000,
        voters=list(voters),
    )
