"""An event loop whose time passes at once and whose threads are none, so that a seed decides what happens when."""

import asyncio
import selectors
from collections.abc import Callable
from random import Random
from typing import Any

_CALL_SECONDS, _SLOW_CALL_SECONDS, _SLOW_SHARE = 0.004, 0.1, 0.2


class _Idle(selectors.SelectSelector):
    """Waits by letting the loop's time pass."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0

    def select(self, timeout: float | None = None) -> list[Any]:
        if timeout is None:
            raise RuntimeError("everybody waits, and nothing will ever happen")
        self.now += max(0.0, timeout)
        return []


class SimulatedLoop(asyncio.SelectorEventLoop):
    """What is handed to a thread is done at once, and its result comes a random moment later."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self._idle = _Idle()
        super().__init__(self._idle)

    def time(self) -> float:
        return self._idle.now

    def run_in_executor(self, executor: Any, func: Callable[..., Any], *args: Any) -> "asyncio.Future[Any]":
        future: asyncio.Future[Any] = self.create_future()
        try:
            result = func(*args)
        except Exception as error:
            self._later(future, future.set_exception, error)
        else:
            self._later(future, future.set_result, result)
        return future

    def _later(self, future: "asyncio.Future[Any]", settle: Callable[[Any], None], value: Any) -> None:
        def settle_unless_cancelled() -> None:
            if not future.done():
                settle(value)

        is_slow = self._random.random() < _SLOW_SHARE
        longest_seconds = _SLOW_CALL_SECONDS if is_slow else _CALL_SECONDS
        self.call_later(self._random.random() * longest_seconds, settle_unless_cancelled)
