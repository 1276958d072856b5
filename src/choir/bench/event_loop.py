"""How late a tick of a millisecond comes: on the event loop that is measured, and at the same time in a process that
does nothing else. What the second sees is the machine: other processes, and other machines on the same processors.

`python -m choir.bench.event_loop` is the second: it watches until its input ends, and prints what it saw.
"""

import asyncio
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import msgspec
import uvloop

TICK_SECONDS = 0.001


async def watch_event_loop(late_ms: list[float]) -> None:
    """Add how late each tick comes, until it is cancelled."""
    while True:
        late_ms.append(await _tick())


async def _tick() -> float:
    due = time.perf_counter() + TICK_SECONDS
    await asyncio.sleep(TICK_SECONDS)
    return (time.perf_counter() - due) * 1000


@asynccontextmanager
async def watched_elsewhere(late_ms: list[float]) -> AsyncIterator[None]:
    """``late_ms`` gets the ticks of a process of its own, once the block has ended."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", __name__, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        await process.stdout.readline()  # it has seen its first tick
        yield
    finally:
        process.stdin.close()
        late_ms += msgspec.json.decode(await process.stdout.read() or b"[]", type=list[float])
        await process.wait()


async def _watch_until_input_ends() -> None:
    late_ms = [await _tick()]
    watch = asyncio.create_task(watch_event_loop(late_ms))
    print("watching", flush=True)
    await asyncio.to_thread(sys.stdin.read)
    watch.cancel()
    sys.stdout.write(msgspec.json.encode([round(late, 3) for late in late_ms]).decode())


if __name__ == "__main__":
    uvloop.run(_watch_until_input_ends())
