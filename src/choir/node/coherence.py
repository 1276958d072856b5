"""Measures the coherence of this node at the end of each epoch, following the ledger's events.

An epoch is closed by the first block after it, and measured then. One in which there was no block has nothing to be
measured by, and one that is not the ledger's last any more (the node was away) is passed over: what is held now says
nothing of then.
"""

import asyncio
import sqlite3
from collections.abc import Sequence

import structlog

from choir.api.services import FollowerPort
from choir.coherence.epoch import CoherenceState, EpochOutcome, close_epoch, first_state
from choir.coherence.params import CoherenceParams
from choir.coherence.records import EpochRecord, ValidatorRecord
from choir.engine.protocol import CommittedBlock, Engine, EngineError, SequencedEvent
from choir.ledger.blocks import header_hash
from choir.ledger.params import EPOCH_MS
from choir.memory.memory import Memory
from choir.node.coherence_report import make_report
from choir.node.coherence_store import CoherenceStore
from choir.node.retrying import retry_pauses

_log = structlog.get_logger("choir.node")


class CoherenceKeeper:
    """Implements `choir.api.services.CoherencePort`."""

    def __init__(
        self, engine: Engine, memory: Memory, follower: FollowerPort, store: CoherenceStore, own_address: str
    ) -> None:
        self._engine = engine
        self._memory = memory
        self._follower = follower
        self._store = store
        self._own_address = own_address
        self._params = CoherenceParams()
        self._latest: EpochRecord | None = None
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Go on from where the file says, or begin with what happens from now on. Raises ``sqlite3.Error`` and
        ``msgspec.DecodeError`` for a damaged file."""
        self._state = await self._store.state() or first_state(self._params)
        self._latest = next(iter(await self._store.page(2**62, 1)), None)
        after_seq = await self._store.last_seq()
        if after_seq is None or not self._engine.first_seq <= after_seq <= self._engine.last_seq:
            after_seq = self._engine.last_seq
            await self._store.begin(after_seq)
        self._task = asyncio.create_task(self._follow(after_seq), name="choir-coherence")

    async def close(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    @property
    def latest(self) -> EpochRecord | None:
        """The last measured epoch."""
        return self._latest

    async def epochs(self, before_number: int, limit: int) -> Sequence[EpochRecord]:
        """Measured epochs below a number, newest first."""
        return await self._store.page(before_number, limit)

    async def _follow(self, after_seq: int) -> None:
        try:
            async for batch in self._engine.events(after_seq):
                for event in batch:
                    if event.fields["type"] == "epoch_closed" and self._is_last(event):
                        await self._close_epoch(event)
        except Exception:
            _log.exception("coherence is not measured any more")
            raise

    def _is_last(self, closing: SequencedEvent) -> bool:
        """Whether the ledger is still in the epoch that began with this closing."""
        begun = (closing.time_ms - self._engine.genesis.time_ms) // EPOCH_MS
        with self._engine.read() as state:
            return bool(state.epoch.number == begun)

    async def _close_epoch(self, closing: SequencedEvent) -> None:
        """Measure and keep. What cannot be measured is left out, and the next epoch is tried again."""
        number = closing.fields["number"]
        try:
            await self._follower.applied(closing.seq)
            measured = await self._measure(closing)
        except (EngineError, sqlite3.Error) as error:
            _log.warning("the epoch was not measured", epoch=number, reason=str(error))
            return
        except Exception:
            _log.exception("the epoch was not measured", epoch=number)
            return
        if measured is None:
            _log.info("the epoch had no block to be measured by", epoch=number)
            return
        self._latest, self._state = measured
        await self._keep(self._latest, self._state, closing.seq)

    async def _measure(self, closing: SequencedEvent) -> tuple[EpochRecord, CoherenceState] | None:
        """None for an epoch without a block, or whose first block is not here."""
        number, me = int(closing.fields["number"]), self._own_address
        started_at_ms = self._engine.genesis.time_ms + number * EPOCH_MS
        ended_at_ms = started_at_ms + EPOCH_MS
        first = await find_first_block(self._engine, started_at_ms, closing.height)
        if first is None:
            return None
        seed = header_hash(first.signed_header.header)
        own = await make_report(self._engine, self._memory, bytes.fromhex(seed), ended_at_ms, self._params)
        outcome = close_epoch(self._state, {me: 1}, {me: own.report}, 0, self._params)
        record = EpochRecord(
            number=number,
            started_at_ms=started_at_ms,
            ended_at_ms=ended_at_ms,
            measured_at_ms=closing.time_ms,
            height=closing.height,
            seed=seed,
            coherence_millionths=outcome.coherence,
            attunement_millionths=outcome.state.attunement.value,
            alpha_millionths=outcome.state.attunement.alpha,
            validators=_validators(outcome),
            checked=own.checked,
        )
        return record, outcome.state

    async def _keep(self, record: EpochRecord, state: CoherenceState, seq: int) -> None:
        """A full disk passes, a lock too."""
        for delay_seconds in retry_pauses():
            try:
                await self._store.keep(record, state, seq)
            except sqlite3.Error as error:
                _log.warning("coherence.db cannot be written", reason=str(error), retry_seconds=delay_seconds)
                await asyncio.sleep(delay_seconds)
            else:
                return


def _validators(outcome: EpochOutcome) -> tuple[ValidatorRecord, ...]:
    return tuple(
        ValidatorRecord(address=address, agreement_millionths=outcome.agreements[address], psi_millionths=score.psi)
        for address, score in sorted(outcome.state.scores.items())
    )


async def find_first_block(engine: Engine, started_at_ms: int, closing_height: int) -> CommittedBlock | None:
    """The first block of the epoch that began at ``started_at_ms`` and was closed by the block at ``closing_height``;
    None where it had none, or where the ledger began from a snapshot after it. Cost: the logarithm of the height."""
    low, high = 1, closing_height
    while low < high:
        middle = (low + high) // 2
        block = await engine.block(middle)
        if block is None or block.signed_header.header.time_ms < started_at_ms:
            low = middle + 1
        else:
            high = middle
    before = await engine.block(low - 1) if low > 1 else None
    is_here = low < closing_height and (low == 1 or before is not None)
    return await engine.block(low) if is_here else None
