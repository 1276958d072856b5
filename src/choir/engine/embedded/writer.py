"""The thread that makes blocks: it takes what is waiting, applies it, and commits it, again and again.

Group commit: while one block is being written, the next transactions gather; a lone transaction is committed at once.
"""

import queue
import sqlite3
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Final

import msgspec

from choir.engine.embedded.recovery import HeadFile
from choir.engine.embedded.store import Head, Store, StoredBlock
from choir.engine.protocol import EngineError, SequencedEvent
from choir.ledger.blocks import (
    NO_BLOCK_HASH,
    Header,
    Receipt,
    SignedHeader,
    compute_data_hash,
    compute_results_hash,
    header_bytes,
    header_hash,
)
from choir.ledger.envelope import CheckedTransaction
from choir.ledger.state import State
from choir.ledger.transition import NO_TRANSACTION, Block, BlockResult, apply_block, next_due_ms
from choir.primitives.signatures import SigningKey

MAX_BLOCK_TRANSACTIONS: Final = 1000
_RETRY_SECONDS: Final = 0.5

# A transaction with the generation it was admitted in; None asks the thread to stop.
Waiting = queue.SimpleQueue[tuple[int, CheckedTransaction] | None]


def wall_clock_ms() -> int:
    return time.time_ns() // 1_000_000


class BlockWriter(threading.Thread):
    """Owns the writing connection. ``on_commit(receipts, events)`` and ``on_failure(error, is_fatal)`` are called here.

    A failed block ends a generation: what was admitted in it counted on nonces that were never used.
    """

    def __init__(
        self,
        store: Store,
        state: State,
        head_file: HeadFile,
        signer: SigningKey,
        changing: Callable[[], AbstractContextManager[object]],
        on_commit: Callable[[list[Receipt], list[SequencedEvent]], None],
        on_failure: Callable[[Exception, bool], None],
        clock_ms: Callable[[], int] = wall_clock_ms,
    ) -> None:
        super().__init__(name="choir-block-writer", daemon=True)
        self.waiting: Waiting = queue.SimpleQueue()
        self._store = store
        self._state = state
        self._head_file = head_file
        self._signer = signer
        self._changing = changing
        self._on_commit = on_commit
        self._on_failure = on_failure
        self._clock_ms = clock_ms
        head = store.head()
        self._previous_hash = head.hash or NO_BLOCK_HASH
        self._seq = store.last_seq()
        self._generation = 0

    def run(self) -> None:
        is_stopping = False
        while not is_stopping:
            batch, is_stopping = self._gather()
            if not batch and not self._is_due():
                continue
            try:
                self._make_block(batch)
            except Exception as error:
                is_fatal = not self._is_unchanged(error)
                self._generation += 1
                self._on_failure(error, is_fatal)
                if is_fatal:
                    return
                if not batch and not is_stopping:
                    # The ledger itself is due, and stays due: without a pause this would turn as fast as it can.
                    time.sleep(_RETRY_SECONDS)
        self._head_file.write(self._state.chain.height, is_stopped=True)

    def _gather(self) -> tuple[list[CheckedTransaction], bool]:
        """The waiting transactions, at most a block full; waits for the first, or until the ledger is due."""
        batch: list[CheckedTransaction] = []
        due_ms = next_due_ms(self._state)
        # With a clock that jumps, look again within a second.
        timeout_seconds = None if due_ms is None else min(1.0, max(0.0, (due_ms - self._clock_ms()) / 1000))
        try:
            item = self.waiting.get(timeout=timeout_seconds)
            while item is not None:
                generation, checked = item
                if generation == self._generation:
                    batch.append(checked)
                if len(batch) == MAX_BLOCK_TRANSACTIONS:
                    return batch, False
                item = self.waiting.get_nowait()
        except queue.Empty:
            return batch, False
        return batch, True

    def _is_due(self) -> bool:
        due_ms = next_due_ms(self._state)
        return due_ms is not None and due_ms <= self._clock_ms()

    def _make_block(self, batch: Sequence[CheckedTransaction]) -> None:
        chain = self._state.chain
        block = Block(chain.height + 1, max(self._clock_ms(), chain.time_ms + 1), batch)
        result = apply_block(self._state, block)
        stored = self._seal(block, result)
        self._store.commit_block(stored)
        self._head_file.write(block.height)
        with self._changing():
            self._state.commit(result.changes)
        self._previous_hash = stored.hash
        self._seq += len(stored.events)
        self._on_commit(result.receipts, list(stored.events))

    def _seal(self, block: Block, result: BlockResult) -> StoredBlock:
        header = Header(
            app_hash=result.changes.app_hash,
            chain_id=self._state.chain.chain_id,
            data_hash=compute_data_hash([checked.hash for checked in block.transactions]),
            height=block.height,
            previous_hash=self._previous_hash,
            proposer=self._signer.address,
            results_hash=compute_results_hash(result.receipts),
            time_ms=block.time_ms,
        )
        signed_header = SignedHeader(header=header, signature=self._signer.sign(header_bytes(header)))
        events = [
            SequencedEvent(
                seq=self._seq + 1 + position,
                height=block.height,
                time_ms=block.time_ms,
                tx_hash=None if origin == NO_TRANSACTION else block.transactions[origin].hash,
                fields=msgspec.to_builtins(event),
            )
            for position, (event, origin) in enumerate(zip(result.events, result.origins, strict=True))
        ]
        return StoredBlock(
            signed_header, header_hash(header), block.transactions, result.receipts, events, result.changes
        )

    def _is_unchanged(self, error: Exception) -> bool:
        """After a failed write: is the file still at the block before? Only then may the engine go on."""
        if not isinstance(error, sqlite3.Error):
            return False
        try:
            head: Head = self._store.head()
        except (sqlite3.Error, EngineError):
            return False
        return head.height == self._state.chain.height
