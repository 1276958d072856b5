"""Signatures are checked, whatever becomes of the worker processes."""

import asyncio
import errno
from concurrent.futures import Future
from concurrent.futures.process import BrokenProcessPool
from typing import Any

import pytest

from choir.engine import verification
from choir.engine.verification import BatchVerifier
from choir.primitives.signatures import SigningKey
from tests.support.patience import PATIENCE_SECONDS

BURST = 40
KEY = SigningKey(bytes(32))


class BrokenPool:
    """Fails as a pool of processes does where the system has none left to give, or has ended them."""

    error: BaseException

    def __init__(self, **_settings: Any) -> None:
        pass

    def submit(self, *_work: Any) -> "Future[Any]":
        raise self.error

    def shutdown(self, **_settings: Any) -> None:
        pass


async def answers_of_a_burst(verifier: BatchVerifier) -> list[bool]:
    """Every fourth signature is another message's."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        return await asyncio.gather(
            *(
                verifier.verify(KEY.address, b"%d" % number, KEY.sign(b"%d" % (number if number % 4 else number + 1)))
                for number in range(BURST)
            )
        )


async def test_a_burst_is_checked_by_workers() -> None:
    verifier = BatchVerifier()
    assert await answers_of_a_burst(verifier) == [bool(number % 4) for number in range(BURST)]
    verifier.close()


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.EAGAIN, "no more processes"),
        MemoryError("no memory for a process"),
        RuntimeError("cannot start a thread"),
        BrokenProcessPool("a worker was killed"),
    ],
    ids=lambda error: type(error).__name__,
)
async def test_a_burst_is_checked_where_workers_cannot_be_had(
    error: BaseException, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(BrokenPool, "error", error, raising=False)
    monkeypatch.setattr(verification, "ProcessPoolExecutor", BrokenPool)
    verifier = BatchVerifier()
    for _ in range(2):
        assert await answers_of_a_burst(verifier) == [bool(number % 4) for number in range(BURST)]
    verifier.close()
