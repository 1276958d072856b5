"""The engines that the contract suite runs over."""

import itertools
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from choir.engine.embedded.engine import EmbeddedEngine
from tests.support.chain import GENESIS_TIME_MS, NODE, make_genesis

NAMES = ["alice", "bob", "carol", "dave"]
OpenEngine = Callable[[], EmbeddedEngine]


@pytest.fixture(params=["embedded"])
def open_engine(request: pytest.FixtureRequest, tmp_path: Path) -> OpenEngine:
    """Makes an engine over the same storage each time it is called."""
    assert request.param == "embedded"
    ticks = itertools.count(GENESIS_TIME_MS + 1)
    return lambda: EmbeddedEngine(tmp_path, NODE, make_genesis(NAMES), clock_ms=lambda: next(ticks))


@pytest.fixture
async def engine(open_engine: OpenEngine) -> AsyncIterator[EmbeddedEngine]:
    engine = open_engine()
    await engine.start()
    yield engine
    await engine.close()
