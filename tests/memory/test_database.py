"""Closing the memory's file while threads still read it."""

import sqlite3
import threading
from pathlib import Path

import pytest

from choir.memory.database import Database
from tests.support.patience import PATIENCE_SECONDS

COUNT = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 20000) SELECT count(*) FROM n"


def read_until_closed(database: Database, begun: threading.Event, outcomes: list[BaseException]) -> None:
    try:
        while True:
            begun.set()
            assert database.reader().execute(COUNT).fetchone()[0] == 20_000
    except BaseException as error:
        outcomes.append(error)


def test_whoever_reads_while_it_is_closed_is_told(tmp_path: Path) -> None:
    for attempt in range(5):
        database = Database(tmp_path / f"{attempt}.db")
        outcomes: list[BaseException] = []
        begun = [threading.Event() for _ in range(4)]
        threads = [
            threading.Thread(target=read_until_closed, args=(database, one, outcomes), daemon=True) for one in begun
        ]
        for thread in threads:
            thread.start()
        for one in begun:
            assert one.wait(PATIENCE_SECONDS)
        database.close()
        for thread in threads:
            thread.join(PATIENCE_SECONDS)
        assert [type(error) for error in outcomes] == [sqlite3.ProgrammingError] * 4


def test_whoever_begins_to_read_when_it_is_closed_is_told(tmp_path: Path) -> None:
    database = Database(tmp_path / "memory.db")
    database.close()
    with pytest.raises(sqlite3.ProgrammingError, match="closed"):
        database.reader()
