"""One thread for short work: in order, with results and errors, and nothing for callers who have gone."""

import asyncio
import threading
from collections.abc import Iterator

import pytest

from choir.memory.work_thread import WorkThread


@pytest.fixture
def thread() -> Iterator[WorkThread]:
    made = WorkThread("test")
    yield made
    made.close()


async def test_results_and_errors_come_back(thread: WorkThread) -> None:
    assert await thread.run(lambda: threading.current_thread().name) == "test"
    with pytest.raises(ZeroDivisionError):
        await thread.run(lambda: 1 // 0)
    done: list[int] = []
    await asyncio.gather(*(thread.run(lambda number=number: done.append(number)) for number in range(50)))
    assert done == list(range(50))


async def test_work_of_a_caller_who_has_gone_is_left_out(thread: WorkThread) -> None:
    may_go_on, done = threading.Event(), []
    first = thread.run(may_go_on.wait)
    abandoned = thread.run(lambda: done.append("abandoned"))
    wanted = thread.run(lambda: done.append("wanted"))
    abandoned.cancel()
    may_go_on.set()
    await asyncio.gather(first, wanted)
    assert done == ["wanted"]


async def test_a_caller_may_go_while_it_is_done(thread: WorkThread) -> None:
    has_begun, may_go_on = asyncio.Event(), threading.Event()
    loop = asyncio.get_running_loop()

    def work() -> None:
        loop.call_soon_threadsafe(has_begun.set)
        may_go_on.wait()

    under_way = thread.run(work)
    await has_begun.wait()
    under_way.cancel()
    may_go_on.set()
    assert await thread.run(lambda: "next") == "next"


async def test_closing_waits_for_what_was_asked() -> None:
    thread = WorkThread("test")
    done: list[int] = []
    last = thread.run(lambda: done.append(1))
    thread.close()
    thread.close()
    assert done == [1]
    await last
    with pytest.raises(RuntimeError, match="closed"):
        thread.run(lambda: None)
