"""What an engine is: it puts transactions in order, runs the ledger on them, and keeps the result.

One contract test suite (tests/engines/) runs over every implementation.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractContextManager
from typing import Any, NamedTuple, Protocol

from msgspec import Struct

from choir.ledger.blocks import Receipt, SignedHeader
from choir.ledger.envelope import CheckedTransaction
from choir.ledger.genesis import Genesis
from choir.ledger.proofs import Proof
from choir.ledger.state import State
from choir.ledger.transactions import Transaction


class EngineError(RuntimeError):
    """The engine cannot go on; the message says what to do."""


class SequencedEvent(Struct, frozen=True, gc=False, kw_only=True):
    """An event of the ledger in the one order that everybody sees. ``fields`` has ``type`` and the event's fields;
    ``tx_hash`` is None for what a block does by itself (an expiry, a reward)."""

    seq: int
    height: int
    time_ms: int
    tx_hash: str | None
    fields: dict[str, Any]


Prepare = Callable[[], Awaitable[None]]


class Admission(NamedTuple):
    """An admitted transaction. ``receipt`` is done once its block is committed durably."""

    tx_hash: str
    receipt: asyncio.Future[Receipt]


class CommittedTransaction(NamedTuple):
    transaction: Transaction | None
    receipt: Receipt


class CommittedBlock(NamedTuple):
    signed_header: SignedHeader
    tx_hashes: list[str]
    receipts: list[Receipt]


class Engine(Protocol):
    """An engine. Every method is called on the event loop and never blocks it for longer than a few milliseconds."""

    name: str
    genesis: Genesis

    async def start(self) -> None:
        """Open the store, check it, and begin to order transactions. Raises ``EngineError``."""

    async def close(self) -> None:
        """Commit what was admitted, then stop."""

    async def submit(self, checked: CheckedTransaction, prepare: Prepare | None = None) -> Admission:
        """Admit a parsed transaction: chain, signature and nonce are checked here. Rejects with ``Rejected``; a
        transaction that was admitted or committed before gives its first receipt again. ``prepare`` is awaited once the
        sender is known to be authentic and before the transaction can be ordered: the place to store its content."""

    def read(self) -> AbstractContextManager[State]:
        """The committed state, unchanging inside the ``with`` block. Never await inside it."""

    def events(self, after_seq: int) -> AsyncIterator[list[SequencedEvent]]:
        """Every event after ``after_seq``, in order, in batches, without end; resumable from any sequence number."""

    async def transaction(self, tx_hash: str) -> CommittedTransaction | None:
        """A committed transaction with its receipt."""

    async def block(self, height: int) -> CommittedBlock | None:
        """A committed block."""

    async def proof(self, tx_hash: str) -> Proof | None:
        """The inclusion proof of a committed transaction."""

    async def entries(self, first_key: str, last_key: str, limit: int) -> list[tuple[str, Struct]]:
        """The entries of the committed state from ``first_key`` to ``last_key``, both included, in the order of their
        keys; the first ``limit`` of them."""

    @property
    def failure(self) -> str | None:
        """Why no transaction is accepted any more; None while all is well."""

    @property
    def first_seq(self) -> int:
        """The event that the stored ones follow: 0, unless the ledger began from a snapshot."""

    @property
    def last_seq(self) -> int:
        """The sequence number of the newest committed event."""
