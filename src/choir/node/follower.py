"""Follows the engine's events into the memory's projections, in order, from wherever it last was."""

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable, Sequence

import structlog

from choir.engine.protocol import Engine, EngineError, SequencedEvent
from choir.memory.memory import Memory
from choir.node.retrying import retry_pauses

_log = structlog.get_logger("choir.node")


Erase = Callable[[Sequence[str]], Awaitable[None]]


class Follower:
    """Implements `choir.api.services.FollowerPort`."""

    def __init__(self, engine: Engine, memory: Memory, erase_elsewhere: Erase | None = None) -> None:
        """``erase_elsewhere`` is told the content hashes of erased messages, so that what was copied from them goes."""
        self._engine = engine
        self._memory = memory
        self._erase_elsewhere = erase_elsewhere
        self._applied_seq = 0
        self._is_delayed = False
        self._progress = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        self._applied_seq = await asyncio.to_thread(self._memory.projection.last_seq)
        if self._applied_seq > self._engine.last_seq:
            raise EngineError(
                f"memory.db has followed the ledger to event {self._applied_seq}, but ledger.db ends at "
                f"{self._engine.last_seq}: they are of different chains or times; restore both from one backup"
            )
        if self._applied_seq < self._engine.first_seq:
            # The ledger began from a snapshot, which has the state but not the events before it.
            _log.warning("what happened before the snapshot is not listed here", first_seq=self._engine.first_seq)
            self._applied_seq = self._engine.first_seq
            await asyncio.to_thread(self._memory.projection.skip_to, self._applied_seq)
        self._task = asyncio.create_task(self._follow(), name="choir-follower")

    async def close(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def caught_up(self) -> None:
        """`applied` for everything committed up to now. Raises ``EngineError`` too where that may take long."""
        await self._wait_for(self._engine.last_seq, is_patient=False)

    async def applied(self, seq: int) -> None:
        """Wait until event ``seq`` is in the projections. Raises ``EngineError`` where it will not be any more."""
        await self._wait_for(seq, is_patient=True)

    async def _wait_for(self, seq: int, *, is_patient: bool) -> None:
        while self._applied_seq < seq:
            progress = self._progress
            if self._task is not None and self._task.done():
                raise EngineError("the node no longer follows its ledger; restart it")
            if self._is_delayed and not is_patient:
                raise EngineError("memory.db cannot be written at the moment; the node tries again")
            await progress.wait()

    @property
    def is_following(self) -> bool:
        return self._task is not None and not self._task.done() and not self._is_delayed

    async def _follow(self) -> None:
        try:
            async for batch in self._engine.events(self._applied_seq):
                await self._apply(batch)
                self._applied_seq = batch[-1].seq
                self._announce()
        except Exception:
            _log.exception("the projections stopped following the ledger")
            raise
        finally:
            self._announce()

    async def _apply(self, batch: Sequence[SequencedEvent]) -> None:
        """A full disk passes, a lock too: what cannot be written is tried again, ever later."""
        erased = [event.fields["content_hash"] for event in batch if event.fields["type"] == "message_erased"]
        for delay_seconds in retry_pauses():
            try:
                # Before the memory notes how far it has followed: after a crash both are done again.
                if erased and self._erase_elsewhere is not None:
                    await self._erase_elsewhere(erased)
                await self._memory.apply(batch, is_repeated=self._is_delayed)
            except sqlite3.Error as error:
                _log.warning("the memory cannot be written", reason=str(error), retry_seconds=delay_seconds)
                self._is_delayed = True
                self._announce()  # nobody is to wait for as long as this may last
                await asyncio.sleep(delay_seconds)
            else:
                self._is_delayed = False
                return

    def _announce(self) -> None:
        self._progress.set()
        self._progress = asyncio.Event()
