"""The follower when memory.db cannot be written: it says so, tries again, and loses nothing."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from choir.engine.protocol import EngineError, SequencedEvent
from choir.memory.memory import Memory
from choir.node import retrying
from choir.node.follower import Follower
from tests.memory.events import event
from tests.support.chain import NODE, digest
from tests.support.patience import PATIENCE_SECONDS


class Events:
    """An engine that has committed three batches."""

    first_seq, last_seq = 0, 3

    async def events(self, after_seq: int) -> AsyncIterator[Sequence[SequencedEvent]]:
        for seq in range(after_seq + 1, 4):
            yield [event(seq, "thread_created", thread_id=digest(f"{seq}")[:32], creator="ann", privacy="public")]
        await asyncio.Event().wait()


@pytest.mark.parametrize("is_written", [False, True])
async def test_a_write_that_fails_is_repeated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_written: bool
) -> None:
    """``is_written``: the failure comes after the projections have the events."""
    memory = Memory(tmp_path, NODE)
    apply, failures, may_pass = memory.apply, 0, asyncio.Event()

    async def apply_or_fail(events: Sequence[Any], *, is_repeated: bool = False) -> None:
        nonlocal failures
        if events[0].seq == 2 and not may_pass.is_set():
            if is_written and not failures:
                await apply(events)
            failures += 1
            raise sqlite3.OperationalError("database or disk is full")
        await apply(events, is_repeated=is_repeated)

    monkeypatch.setattr(memory, "apply", apply_or_fail)
    monkeypatch.setattr(retrying, "RETRY_SECONDS", (0.01,))
    follower = Follower(Events(), memory)  # type: ignore[arg-type]
    async with asyncio.timeout(PATIENCE_SECONDS):
        await follower.start()
        with pytest.raises(EngineError, match="tries again"):
            await follower.caught_up()
        assert not follower.is_following
        patient = asyncio.create_task(follower.applied(3))
        while failures < 3:  # noqa: ASYNC110  nothing tells when
            await asyncio.sleep(0.01)
        may_pass.set()
        while not follower.is_following:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        await follower.caught_up()
        await patient
    assert memory.projection.last_seq() == 3
    assert len(memory.projection.threads(before_seq=10, limit=10, co_author=None)) == 3
    await follower.close()
    await memory.close()
