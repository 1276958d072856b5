"""What is checked before an embedded ledger is trusted again.

SQLite ends a write-ahead log silently at the first frame whose checksum fails, so a damaged log would drop committed
blocks without a word. The *head file* beside the database names the newest acknowledged block: it is written after each
commit, never synced, and so never ahead of what is durable; a database behind it has lost something.
"""

import os
import sqlite3
from pathlib import Path
from typing import Final

import msgspec

from choir.engine.embedded.store import Head, Store
from choir.engine.protocol import EngineError
from choir.ledger.blocks import compute_data_hash, compute_results_hash, header_bytes, header_hash
from choir.ledger.genesis import Genesis
from choir.ledger.state import State
from choir.ledger.transactions import transaction_hash
from choir.primitives.signatures import is_valid_signature

_TAIL_BLOCKS: Final = 64
_FULL_CHECK_BYTES: Final = 64 << 20
_RECORD_BYTES: Final = 128


class HeadFile:
    """The newest acknowledged height, in a file of fixed size."""

    def __init__(self, path: Path) -> None:
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)

    def read(self) -> tuple[int, bool]:
        """(height, whether the node was stopped cleanly). A power cut may leave anything in a file that is never
        synced: what cannot be read names no block, and no clean stop."""
        words = os.pread(self._descriptor, _RECORD_BYTES, 0).split()
        if len(words) != 2 or not words[0].isdigit():
            return 0, False
        return int(words[0]), words[1] == b"stopped"

    def write(self, height: int, *, is_stopped: bool = False) -> None:
        text = f"{height} {'stopped' if is_stopped else 'running'}".ljust(_RECORD_BYTES - 1) + "\n"
        os.pwrite(self._descriptor, text.encode(), 0)

    def close(self) -> None:
        os.close(self._descriptor)


def open_checked(path: Path, store: Store, head_file: HeadFile, genesis: Genesis | None) -> State:
    """Load the state of a ledger that may have been through a crash. Raises ``EngineError`` for any damage."""
    try:
        store.check_format()
        _check_chain(store.genesis(), genesis)
        acknowledged, was_stopped = head_file.read()
        if not was_stopped or path.stat().st_size <= _FULL_CHECK_BYTES:
            damage = store.structural_damage()
            if damage is not None:
                raise EngineError(f"ledger.db is damaged: {damage}; restore it from a snapshot or a backup")
        head = store.head()
        if head.height < acknowledged:
            raise EngineError(
                f"ledger.db ends at block {head.height} but block {acknowledged} was acknowledged: its write-ahead "
                "log is damaged or missing; restore the data directory from a backup"
            )
        state = store.load_state()
        _check_tail(store, head, state)
    except (sqlite3.DatabaseError, msgspec.DecodeError) as error:
        raise EngineError(f"ledger.db is damaged: {error}; restore it from a snapshot or a backup") from error
    return state


def _check_chain(found: Genesis, wanted: Genesis | None) -> None:
    if wanted is not None and found != wanted:
        raise EngineError(
            f"the data directory holds chain {found.chain_id} with another genesis than the one given: choose another "
            "data directory"
        )


def _check_tail(store: Store, head: Head, state: State) -> None:
    if state.chain.height != head.height:
        raise EngineError(f"ledger.db is damaged: state at block {state.chain.height}, newest block {head.height}")
    if head.signed_header is None:
        return
    if head.signed_header.header.app_hash != state.app_hash:
        raise EngineError("ledger.db is damaged: the state is not the one that the newest block commits to")
    next_previous_hash = None
    for height in range(head.height, max(0, head.height - _TAIL_BLOCKS), -1):
        previous_hash = check_block(store, height, next_previous_hash)
        if previous_hash is None:
            return  # the ledger begins here: it was restored from a snapshot
        next_previous_hash = previous_hash


def check_block(store: Store, height: int, expected_hash: str | None) -> str | None:
    """Check one stored block against its header. Returns the hash of the block before it, or None where the stored
    ledger begins. Raises ``EngineError``."""
    block = store.block(height)
    if block is None:
        raise EngineError(f"ledger.db is damaged: block {height} is missing")
    is_first = height == store.first_height()
    header = block.signed_header.header
    if expected_hash is not None and header_hash(header) != expected_hash:
        raise EngineError(f"ledger.db is damaged: block {height} is not the one that block {height + 1} follows")
    if not is_valid_signature(header.proposer, header_bytes(header), block.signed_header.signature):
        raise EngineError(f"ledger.db is damaged: block {height} has no valid signature")
    is_stored = bool(block.tx_hashes) or header.data_hash == compute_data_hash([])
    if not is_stored and is_first:
        return None  # the header that a snapshot came with: its transactions were never here
    if is_first and height > 1 and block.tx_hashes:
        raise EngineError(f"ledger.db is damaged: the blocks before {height} are missing")
    raw_hashes = [transaction_hash(raw) for raw in store.raw_transactions(height)]
    if raw_hashes != block.tx_hashes or compute_data_hash(raw_hashes) != header.data_hash:
        raise EngineError(f"ledger.db is damaged: a transaction of block {height} has changed")
    if compute_results_hash(block.receipts) != header.results_hash:
        raise EngineError(f"ledger.db is damaged: a receipt of block {height} has changed")
    return None if is_first else header.previous_hash
