"""What most tests of the memory begin with."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from choir.memory.database import Database


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = Database(tmp_path / "memory.db")
    yield database
    database.close()
