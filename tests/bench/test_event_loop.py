"""Ticks of the event loop that is measured, and of a process that does nothing else."""

import asyncio
import time

from choir.bench.event_loop import watch_event_loop, watched_elsewhere

HELD_SECONDS = 0.05


async def test_a_held_event_loop_is_late_by_as_long() -> None:
    late_ms: list[float] = []
    watch = asyncio.create_task(watch_event_loop(late_ms))
    await asyncio.sleep(0.005)
    time.sleep(HELD_SECONDS)  # noqa: ASYNC251  as work that gives nothing away
    await asyncio.sleep(0.005)
    watch.cancel()
    assert max(late_ms) > 1000 * HELD_SECONDS - 2


async def test_ticks_elsewhere_come_once_the_block_has_ended() -> None:
    late_ms: list[float] = []
    async with watched_elsewhere(late_ms):
        await asyncio.sleep(0.01)
        assert late_ms == []
    assert late_ms
