"""The embedded engine: one node, one SQLite file, blocks on demand. Default; needs nothing else running."""

import asyncio
import sqlite3
import threading
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import structlog
from msgspec import Struct

from choir.engine.embedded.recovery import HeadFile, open_checked
from choir.engine.embedded.store import Store
from choir.engine.embedded.writer import BlockWriter, wall_clock_ms
from choir.engine.protocol import (
    Admission,
    CommittedBlock,
    CommittedTransaction,
    EngineError,
    Prepare,
    SequencedEvent,
)
from choir.engine.verification import BatchVerifier
from choir.ledger.blocks import Receipt
from choir.ledger.entities import ACCOUNTS
from choir.ledger.envelope import CheckedTransaction, parse_transaction, validate_origin
from choir.ledger.errors import Code, Rejected, reject
from choir.ledger.genesis import Genesis, make_state
from choir.ledger.proofs import Proof, make_proof
from choir.ledger.state import State
from choir.ledger.transactions import Transaction, signing_bytes
from choir.ledger.transition import validate_nonce
from choir.primitives.signatures import SigningKey

_RECENT_EVENTS: Final = 10_000
_EVENT_BATCH: Final = 500
_MAX_WAITING: Final = 20_000

_log = structlog.get_logger("choir.engine")


class EmbeddedEngine:
    """Implements `choir.engine.protocol.Engine`."""

    name = "embedded"

    def __init__(
        self,
        directory: Path,
        signer: SigningKey,
        genesis: Genesis | None = None,
        clock_ms: Callable[[], int] = wall_clock_ms,
    ) -> None:
        """``genesis`` is needed for a new directory; for an existing one it must be the same, if given."""
        self._path = directory / "ledger.db"
        self._head_path = directory / "ledger.head"
        self._signer = signer
        self._clock_ms = clock_ms
        self._wanted_genesis = genesis
        self._state_lock = threading.Lock()
        self._pending: dict[str, asyncio.Future[Receipt]] = {}
        self._next_nonce: dict[str, tuple[int, int]] = {}
        self._senders: dict[str, str] = {}
        self._failure: str | None = None
        self._generation = 0
        self._recent: deque[SequencedEvent] = deque(maxlen=_RECENT_EVENTS)
        self._news = asyncio.Event()
        self._readers = threading.local()
        self._open_readers: list[Store] = []

    # Life

    async def start(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._verifier = BatchVerifier()
        await asyncio.to_thread(self._open)
        self._writer = BlockWriter(
            self._store,
            self._state,
            self._head_file,
            self._signer,
            lambda: self._state_lock,
            lambda receipts, events: self._call(self._committed, receipts, events),
            lambda error, is_fatal: self._call(self._failed, error, is_fatal),
            self._clock_ms,
        )
        self._writer.start()

    def _open(self) -> None:
        self._store = Store(self._path, is_writer=True)
        self._head_file = HeadFile(self._head_path)
        try:
            if self._store.is_empty():
                if self._wanted_genesis is None:
                    raise EngineError("the data directory has no ledger yet: give a genesis to begin one")
                self._store.initialise(self._wanted_genesis, make_state(self._wanted_genesis), None, "")
            self._state = open_checked(self._path, self._store, self._head_file, self._wanted_genesis)
            self.genesis = self._store.genesis()
            self._check_signer()
            self._first_seq, self._last_seq = self._store.first_seq(), self._store.last_seq()
            self._head_file.write(self._state.chain.height)
        except BaseException:
            self._store.close()
            self._head_file.close()
            raise

    def _check_signer(self) -> None:
        if self._signer.address not in self.genesis.validators:
            raise EngineError(
                f"this node's key {self._signer.address} is not a validator of chain {self.genesis.chain_id}: "
                "use the node key that the chain was made with"
            )

    async def close(self) -> None:
        self._failure = self._failure or "the node is stopping"
        self._writer.waiting.put(None)
        await asyncio.to_thread(self._writer.join)
        await asyncio.sleep(0)  # let the last receipts be delivered
        for future in self._pending.values():
            if not future.done():
                future.set_exception(EngineError("the node stopped before the transaction was committed"))
                future.exception()
        for reader in self._open_readers:
            reader.close()
        self._store.close()
        self._head_file.close()
        self._verifier.close()

    # Writing

    async def submit(self, checked: CheckedTransaction, prepare: Prepare | None = None) -> Admission:
        transaction = validate_origin(checked, self.genesis.chain_id)
        message, signature = signing_bytes(transaction), transaction.signature or ""
        if not await self._verifier.verify(transaction.sender, message, signature):
            reject(Code.BadSignature, field="signature")
        known = self._known(checked, transaction)
        if known is None and prepare is not None:
            await prepare()
            known = self._known(checked, transaction)  # another request may have brought it meanwhile
        return known or self._admit(checked, transaction)

    def _known(self, checked: CheckedTransaction, transaction: Transaction) -> Admission | None:
        """The admission of a transaction that was brought before. Rejects what cannot be admitted now."""
        pending = self._pending.get(checked.hash)
        if pending is not None:
            return Admission(checked.hash, pending)
        if self._failure is not None:
            reject(Code.NotReady, f"The ledger does not accept transactions: {self._failure}.")
        expected, _ = self._expected_nonce(transaction.sender)
        if transaction.nonce != expected:
            committed = self._reader().transaction(checked.hash) if transaction.nonce < expected else None
            if committed is not None:
                return Admission(checked.hash, self._done(committed[1]))
            validate_nonce(transaction.nonce, expected)
        if len(self._pending) >= _MAX_WAITING:
            reject(Code.NotReady, "Too many transactions are waiting.", retry_after_ms=1000)
        return None

    def _admit(self, checked: CheckedTransaction, transaction: Transaction) -> Admission:
        expected, count = self._expected_nonce(transaction.sender)
        self._next_nonce[transaction.sender] = (expected + 1, count + 1)
        self._senders[checked.hash] = transaction.sender
        future: asyncio.Future[Receipt] = self._loop.create_future()
        self._pending[checked.hash] = future
        self._writer.waiting.put((self._generation, checked))
        return Admission(checked.hash, future)

    def _expected_nonce(self, sender: str) -> tuple[int, int]:
        """The sender's next nonce counting what is waiting, and how much is waiting."""
        waiting = self._next_nonce.get(sender)
        if waiting is not None:
            return waiting
        account = self._state.get(ACCOUNTS, sender)
        return (0 if account is None else account.nonce), 0

    def _done(self, receipt: Receipt) -> asyncio.Future[Receipt]:
        future: asyncio.Future[Receipt] = self._loop.create_future()
        future.set_result(receipt)
        return future

    def _call(self, function: Callable[..., None], *arguments: object) -> None:
        """Run on the event loop, from the writer's thread."""
        self._loop.call_soon_threadsafe(function, *arguments)

    def _committed(self, receipts: list[Receipt], events: list[SequencedEvent]) -> None:
        if events:
            self._recent.extend(events)
            self._last_seq = events[-1].seq
            self._news.set()
            self._news = asyncio.Event()
        for receipt in receipts:
            future = self._forget(receipt.tx_hash)
            if future is not None and not future.done():
                future.set_result(receipt)

    def _failed(self, error: Exception, is_fatal: bool) -> None:
        _log.error("a block could not be made", is_fatal=is_fatal, waiting=len(self._pending), exc_info=error)
        if is_fatal:
            self._failure = f"it stopped after an error ({error}); restart the node, then run `choir doctor`"
        elif isinstance(error, sqlite3.Error):
            error = EngineError(
                f"the block could not be written ({error}): nothing was changed; free disk space and retry"
            )
        # What waits behind a lost transaction has lost its place in the order of nonces: the writer drops it too.
        self._generation += 1
        for tx_hash in list(self._pending):
            future = self._forget(tx_hash)
            if future is not None and not future.done():
                future.set_exception(Rejected(Code.NotReady, f"{error}."))
                future.exception()  # a caller that left does not make it an unhandled error

    def _forget(self, tx_hash: str) -> asyncio.Future[Receipt] | None:
        sender = self._senders.pop(tx_hash, None)
        if sender is not None and sender in self._next_nonce:
            expected, count = self._next_nonce[sender]
            if count > 1:
                self._next_nonce[sender] = (expected, count - 1)
            else:
                del self._next_nonce[sender]
        return self._pending.pop(tx_hash, None)

    # Reading

    @contextmanager
    def read(self) -> Iterator[State]:
        with self._state_lock:
            yield self._state

    @property
    def failure(self) -> str | None:
        return self._failure

    @property
    def first_seq(self) -> int:
        return self._first_seq

    @property
    def last_seq(self) -> int:
        return self._last_seq

    async def events(self, after_seq: int) -> AsyncIterator[list[SequencedEvent]]:
        while True:
            news = self._news
            batch = self._recent_after(after_seq)
            if batch is None:
                batch = await asyncio.to_thread(self._stored_events, after_seq)
            if batch:
                after_seq = batch[-1].seq
                yield batch
            else:
                await news.wait()

    def _stored_events(self, after_seq: int) -> list[SequencedEvent]:
        return self._reader().events(after_seq, _EVENT_BATCH)

    def _recent_after(self, after_seq: int) -> list[SequencedEvent] | None:
        """From memory, or None when some of it is only in the file."""
        if after_seq >= self._last_seq:
            return []
        if not self._recent or self._recent[0].seq > after_seq + 1:
            return None
        start = after_seq + 1 - self._recent[0].seq
        return [self._recent[i] for i in range(start, min(len(self._recent), start + _EVENT_BATCH))]

    async def transaction(self, tx_hash: str) -> CommittedTransaction | None:
        found = await asyncio.to_thread(lambda: self._reader().transaction(tx_hash))
        if found is None:
            return None
        raw, receipt = found
        return CommittedTransaction(_read_back(raw), receipt)

    async def block(self, height: int) -> CommittedBlock | None:
        return await asyncio.to_thread(lambda: self._reader().block(height))

    async def entries(self, first_key: str, last_key: str, limit: int) -> list[tuple[str, Struct]]:
        return await asyncio.to_thread(lambda: self._reader().entries(first_key, last_key, limit))

    async def proof(self, tx_hash: str) -> Proof | None:
        return await asyncio.to_thread(self._make_proof, tx_hash)

    def _make_proof(self, tx_hash: str) -> Proof | None:
        found = self._reader().transaction(tx_hash)
        if found is None:
            return None
        raw, receipt = found
        transaction = _read_back(raw)
        block = self._reader().block(receipt.height)
        if block is None or transaction is None:
            return None
        return make_proof(transaction, receipt.index, block.tx_hashes, block.receipts, block.signed_header)

    def _reader(self) -> Store:
        """This thread's reading connection."""
        store: Store | None = getattr(self._readers, "store", None)
        if store is None:
            store = self._readers.store = Store(self._path)
            self._open_readers.append(store)
        return store


def _read_back(raw: bytes) -> Transaction | None:
    try:
        return parse_transaction(raw).transaction
    except Rejected:
        return None  # a refused transaction of a block need not be well-formed
