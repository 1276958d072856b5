"""One thread for short work of an event loop: the way there and back is half as long as through an executor's queue,
conditions and futures of two kinds."""

import asyncio
import threading
from collections.abc import Callable
from queue import SimpleQueue
from typing import Any, TypeVar

R = TypeVar("R")
_Task = tuple[Callable[[], Any], "asyncio.Future[Any]"]


class WorkThread:
    """Works off one call after the other. A call whose caller has gone before its turn is left out."""

    def __init__(self, name: str) -> None:
        self._tasks: SimpleQueue[_Task | None] = SimpleQueue()
        self._is_closed = False
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def run(self, work: Callable[[], R]) -> "asyncio.Future[R]":
        """What ``work`` returns or raises. Raises ``RuntimeError`` after `close`."""
        if self._is_closed:
            raise RuntimeError("the thread is closed")
        future: asyncio.Future[R] = asyncio.get_running_loop().create_future()
        self._tasks.put((work, future))
        return future

    def close(self) -> None:
        """Wait until what was asked for is done."""
        if not self._is_closed:
            self._is_closed = True
            self._tasks.put(None)
            self._thread.join()

    def _run(self) -> None:
        while (task := self._tasks.get()) is not None:
            work, future = task
            if not future.done():
                _work(work, future)


def _work(work: Callable[[], R], future: "asyncio.Future[R]") -> None:
    loop = future.get_loop()
    try:
        result = work()
    except BaseException as error:
        _tell(loop, _fail, future, error)
    else:
        _tell(loop, _succeed, future, result)


def _tell(loop: asyncio.AbstractEventLoop, how: Callable[..., None], *arguments: Any) -> None:
    try:
        loop.call_soon_threadsafe(how, *arguments)
    except RuntimeError:
        return  # the loop is closed: nobody waits any more


def _succeed(future: "asyncio.Future[R]", result: R) -> None:
    if not future.done():
        future.set_result(result)


def _fail(future: "asyncio.Future[Any]", error: BaseException) -> None:
    if not future.done():
        future.set_exception(error)
