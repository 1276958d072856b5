"""What most tests of the memory begin with."""

import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from choir.memory.database import Database
from tests.memory.parts import MESSAGES, Parts


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = Database(tmp_path / "memory.db")
    yield database
    database.close()


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    script = Path(__file__).with_name("embedding_server.py")
    server = subprocess.Popen([sys.executable, str(script)], stdout=subprocess.PIPE, text=True)
    assert server.stdout is not None
    yield f"http://127.0.0.1:{int(server.stdout.readline())}/v1"
    server.kill()
    server.wait()
    server.stdout.close()


@pytest.fixture
async def parts() -> AsyncIterator[Parts]:
    made = Parts()
    await made.fill(MESSAGES)
    yield made
    made.search.close()
    await made.vectors.aclose()
    made.connection.close()
