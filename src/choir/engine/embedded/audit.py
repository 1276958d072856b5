"""Checking a whole ledger: every block against its header, and the state against a replay. Cost: the whole history."""

import sqlite3
from collections.abc import Callable
from pathlib import Path

import msgspec
from msgspec import Struct

from choir.engine.embedded.recovery import check_block
from choir.engine.embedded.store import Store
from choir.engine.protocol import EngineError
from choir.ledger.envelope import check_transaction
from choir.ledger.genesis import make_state
from choir.ledger.state import State
from choir.ledger.transition import Block, apply_block


class AuditReport(Struct, frozen=True, kw_only=True):
    """What was checked. ``is_replayed`` is False for a ledger that began from a snapshot: its past is not here."""

    height: int
    blocks: int
    transactions: int
    app_hash: str
    is_replayed: bool


def audit_ledger(path: Path, on_block: Callable[[int, int], None] = lambda _height, _total: None) -> AuditReport:
    """Check the ledger at ``path`` (a ledger.db). ``on_block(height, newest)`` reports progress. Raises
    ``EngineError`` at the first thing that is wrong."""
    store = Store(path)
    try:
        with store.frozen():
            return _audit(store, on_block)
    except (sqlite3.DatabaseError, msgspec.DecodeError) as error:
        raise EngineError(f"ledger.db is damaged: {error}") from error
    finally:
        store.close()


def _audit(store: Store, on_block: Callable[[int, int], None]) -> AuditReport:
    store.check_format()
    damage = store.structural_damage()
    if damage is not None:
        raise EngineError(f"ledger.db is damaged: {damage}")
    state = store.load_state()
    head = store.head()
    blocks, first = _check_chain(store, head.height)
    transactions = 0
    is_replayed = first <= 1 and store.first_seq() == 0  # a snapshot may have been of block 1
    if is_replayed:
        replayed, transactions = replay(store, on_block)
        if replayed.app_hash != state.app_hash:
            raise EngineError("ledger.db is damaged: the state is not what its blocks lead to")
    return AuditReport(
        height=head.height,
        blocks=blocks,
        transactions=transactions,
        app_hash=state.app_hash,
        is_replayed=is_replayed,
    )


def replay(store: Store, on_block: Callable[[int, int], None] = lambda _height, _total: None) -> tuple[State, int]:
    """Apply every block from genesis, signatures included; returns the state and the number of transactions. Raises
    ``EngineError`` where a header does not match."""
    genesis = store.genesis()
    state = make_state(genesis)
    newest = store.head().height
    count = 0
    for height in range(1, newest + 1):
        signed_header = store.signed_header(height)
        if signed_header is None:
            raise EngineError(f"ledger.db is damaged: block {height} is missing")
        checked = [check_transaction(raw, genesis.chain_id) for raw in store.raw_transactions(height)]
        result = apply_block(state, Block(height, signed_header.header.time_ms, checked))
        if result.changes.app_hash != signed_header.header.app_hash:
            raise EngineError(f"ledger.db is damaged: replaying block {height} gives another app hash")
        state.commit(result.changes)
        count += len(checked)
        on_block(height, newest)
    return state, count


def _check_chain(store: Store, newest: int) -> tuple[int, int]:
    """Check every stored block, newest first; returns how many there are and the height of the first."""
    expected: str | None = None
    height = newest
    while height > 0:
        previous = check_block(store, height, expected)
        if previous is None:
            break
        expected = previous
        height -= 1
    first = max(height, 1) if newest else 0
    return newest - first + 1 if newest else 0, first
