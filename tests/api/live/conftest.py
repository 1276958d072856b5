"""A node for each file of tests would cost little more than one for all, and shares nothing."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.live import LiveWorld, live_world


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[LiveWorld]:
    async with live_world(tmp_path / "node") as world:
        yield world
