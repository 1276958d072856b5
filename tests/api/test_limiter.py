"""How often one caller may do something, with several processes over one file."""

import asyncio
import multiprocessing
from functools import partial
from multiprocessing.synchronize import Barrier
from pathlib import Path

import pytest

from choir.api.access_store import AccessStore
from choir.ledger.errors import Rejected
from tests.support.patience import PATIENCE_SECONDS

NOW_MS = 1_795_263_600_007
PER_HOUR = 300


def open_store(path: Path) -> AccessStore:
    return AccessStore(path, lambda: NOW_MS, "choir.example:8420", "choir-dev")


def spend(path: Path, start: Barrier, took: Path) -> None:
    """Take tokens until there are none, and leave behind how many there were."""

    async def run() -> int:
        for count in range(PER_HOUR + 1):
            try:
                await store.run(lambda: store.limiter.use("ann", "search", PER_HOUR, NOW_MS))
            except Rejected:
                return count
        return PER_HOUR + 1

    store = open_store(path)
    start.wait(PATIENCE_SECONDS)
    took.write_text(str(asyncio.run(run())))
    store.close()


def test_processes_share_one_allowance(tmp_path: Path) -> None:
    path = tmp_path / "access.db"
    open_store(path).close()
    context = multiprocessing.get_context("spawn")
    start = context.Barrier(2)
    results = [tmp_path / "first", tmp_path / "second"]
    processes = [context.Process(target=spend, args=(path, start, took)) for took in results]
    for process in processes:
        process.start()
    for process in processes:
        process.join(PATIENCE_SECONDS)
        assert process.exitcode == 0
    # No token was taken by both, and none was lost.
    assert sum(int(took.read_text()) for took in results) == PER_HOUR


async def test_what_is_refused_takes_nothing(tmp_path: Path) -> None:
    store = open_store(tmp_path / "access.db")
    moments = [(0, True), (0, True), (0, False), (1_799_999, False), (1_800_000, True), (1_800_000, False)]
    for later_ms, is_given in [*moments, (3_600_000, True)]:
        use = partial(store.limiter.use, "ann", "search", 2, NOW_MS + later_ms)
        if is_given:
            await store.run(use)
        else:
            with pytest.raises(Rejected, match="The limit is 2 an hour"):
                await store.run(use)
    store.close()
