"""Snapshots: the whole state as lines of JSON, checked against a block's app hash on the way back in."""

from collections.abc import Iterable, Iterator
from typing import Final

import msgspec
from msgspec import Struct

from choir.ledger.blocks import SignedHeader, header_bytes
from choir.ledger.entities import CHAIN, THE_ONLY
from choir.ledger.genesis import Genesis, GenesisError, make_state
from choir.ledger.state import State, decode_entry
from choir.primitives.signatures import is_valid_signature

FORMAT: Final = "choir-snapshot-1"


class SnapshotError(ValueError):
    """The snapshot is damaged, of another format, or not the state its header commits to."""


class SnapshotHead(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The first line. ``header`` is None for a snapshot of genesis; ``last_seq`` is the newest event's number."""

    format: str
    genesis: Genesis
    entries: int
    app_hash: str
    header: SignedHeader | None
    last_seq: int = 0


def take_snapshot(
    state: State, genesis: Genesis, header: SignedHeader | None, last_seq: int = 0
) -> tuple[SnapshotHead, list[bytes]]:
    """The head of a snapshot, and its lines: the head, then ``[key, value]`` per entry, in key order."""
    head = SnapshotHead(
        format=FORMAT,
        genesis=genesis,
        entries=len(state),
        app_hash=state.app_hash,
        header=header,
        last_seq=last_seq,
    )
    lines = [msgspec.json.encode(head) + b"\n"]
    lines += [msgspec.json.encode((key, msgspec.Raw(value))) + b"\n" for key, value in state.items()]
    return head, lines


def restore_snapshot(lines: Iterable[bytes]) -> tuple[SnapshotHead, State]:
    """Rebuild the state and check it against the head. Raises ``SnapshotError``."""
    iterator = iter(lines)
    try:
        head = msgspec.json.decode(next(iterator, b""), type=SnapshotHead)
        if head.format != FORMAT:
            raise SnapshotError(f"unknown snapshot format {head.format}; this release reads {FORMAT}")
        state = State(_entries(iterator))
    except (msgspec.DecodeError, KeyError, ValueError) as error:
        if isinstance(error, SnapshotError):
            raise
        raise SnapshotError(f"the snapshot is damaged: {error}") from error
    _validate(head, state)
    return head, state


def _entries(lines: Iterator[bytes]) -> Iterator[tuple[str, Struct]]:
    for line in lines:
        key, value = msgspec.json.decode(line, type=tuple[str, msgspec.Raw])
        yield key, decode_entry(key, bytes(value))


def _validate(head: SnapshotHead, state: State) -> None:
    if len(state) != head.entries:
        raise SnapshotError(f"the snapshot has {len(state)} of {head.entries} entries")
    expected = _genesis_app_hash(head.genesis) if head.header is None else head.header.header.app_hash
    if state.app_hash != head.app_hash or head.app_hash != expected:
        raise SnapshotError("the entries do not give the app hash that the header commits to")
    height = 0 if head.header is None else head.header.header.height
    chain = state.get(CHAIN, THE_ONLY)
    if chain is None or chain.height != height or chain.chain_id != head.genesis.chain_id:
        raise SnapshotError("the state belongs to another height or chain than the snapshot's head says")
    if head.header is not None:
        header = head.header.header
        is_signed = is_valid_signature(header.proposer, header_bytes(header), head.header.signature)
        if header.proposer not in head.genesis.validators or not is_signed:
            raise SnapshotError("the header is not signed by a validator of the snapshot's genesis")


def _genesis_app_hash(genesis: Genesis) -> str:
    try:
        return make_state(genesis).app_hash
    except GenesisError as error:
        raise SnapshotError(f"the snapshot's genesis breaks the rules: {error}") from error
