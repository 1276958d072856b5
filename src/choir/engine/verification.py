"""Checking signatures away from the event loop's processor.

A lone signature is checked in place: 50 µs are less than a trip to another process. What arrives in a burst goes in
batches to worker processes, since a thread that checks signatures one by one fights for the interpreter lock.
"""

import asyncio
import multiprocessing
import os
import signal
import threading
from collections import deque
from concurrent.futures import ProcessPoolExecutor
from typing import Final, NamedTuple

import structlog

from choir.primitives.signatures import is_valid_signature

_INLINE_LIMIT: Final = 4
_BATCH: Final = 512
_WORKERS: Final = max(1, (os.cpu_count() or 2) - 1)

Claim = tuple[str, bytes, str]

_log = structlog.get_logger("choir.engine")


class _Waiting(NamedTuple):
    claim: Claim
    answer: asyncio.Future[bool]


class _Batch:
    """Claims on their way through a worker."""

    __slots__ = ("answers", "claims")

    def __init__(self, claims: list[_Waiting]) -> None:
        self.claims = claims
        self.answers: list[bool] | None = None


class BatchVerifier:
    """Ed25519 checks for an event loop; `close` ends its processes.

    Answers come in the order of the questions, so that a sender's transactions keep theirs.
    """

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._waiting: list[_Waiting] = []
        self._pool: ProcessPoolExecutor | None = None
        self._in_flight: deque[_Batch] = deque()
        self._tasks: set[asyncio.Task[None]] = set()

    def verify(self, address: str, message: bytes, signature: str) -> asyncio.Future[bool]:
        """Whether ``signature`` over ``message`` was made by ``address``."""
        answer: asyncio.Future[bool] = self._loop.create_future()
        if not self._waiting:
            # Whatever else arrives in this turn of the loop is part of the same burst.
            self._loop.call_soon(self._flush)
        self._waiting.append(_Waiting((address, message, signature), answer))
        return answer

    def close(self) -> None:
        if self._pool is not None:
            self._pool.shutdown(wait=False, cancel_futures=True)

    def _flush(self) -> None:
        if len(self._waiting) <= _INLINE_LIMIT and not self._in_flight:
            burst, self._waiting = self._waiting, []
            _deliver(burst, _check([waiting.claim for waiting in burst]))
        # While the workers are busy, what arrives gathers into larger batches: fewer trips for the same work.
        while self._waiting and len(self._in_flight) <= _WORKERS:
            batch = _Batch(self._waiting[:_BATCH])
            del self._waiting[:_BATCH]
            self._in_flight.append(batch)
            task = self._loop.create_task(self._check_elsewhere(batch))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _check_elsewhere(self, batch: _Batch) -> None:
        claims = [waiting.claim for waiting in batch.claims]
        try:
            batch.answers = await self._loop.run_in_executor(self._open_pool(), _check, claims)
        except (OSError, MemoryError, RuntimeError) as error:
            # A worker was killed, or none could start. The next burst tries again; this one is checked on a thread.
            _log.warning("signatures are checked without workers", reason=f"{type(error).__name__}: {error}")
            self._pool = None
            batch.answers = await asyncio.to_thread(_check, claims)
        while self._in_flight and self._in_flight[0].answers is not None:
            first = self._in_flight.popleft()
            _deliver(first.claims, first.answers or [])
        self._flush()

    def _open_pool(self) -> ProcessPoolExecutor:
        if self._pool is None:
            self._pool = ProcessPoolExecutor(
                max_workers=_WORKERS,
                mp_context=multiprocessing.get_context("forkserver"),
                initializer=_begin_worker,
            )
        return self._pool


def _check(claims: list[Claim]) -> list[bool]:
    return [is_valid_signature(*claim) for claim in claims]


def _deliver(chunk: list[_Waiting], answers: list[bool]) -> None:
    for waiting, answer in zip(chunk, answers, strict=True):
        if not waiting.answer.done():
            waiting.answer.set_result(answer)


def _begin_worker() -> None:
    """Ctrl-C reaches every process of the terminal, but the node ends its workers itself; if the node is killed before
    it can, they end with it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(0)
