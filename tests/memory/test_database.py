"""The memory's file under several threads."""

import sqlite3
import threading
from pathlib import Path

from choir.memory.database import Database

PATIENCE_SECONDS = 60
# Some hundred milliseconds of reading, in one call.
_LONG = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000000) SELECT count(*) FROM n"


def read_slowly(database: Database, is_reading: threading.Event, counted: list[int]) -> None:
    reader = database.reader()
    reader.set_progress_handler(is_reading.set, 1000)
    counted.append(reader.execute(_LONG).fetchone()[0])


def test_closing_leaves_a_reading_that_goes_on_in_peace(tmp_path: Path) -> None:
    database, is_reading, counted = Database(tmp_path / "memory.db"), threading.Event(), list[int]()
    thread = threading.Thread(target=read_slowly, args=(database, is_reading, counted))
    thread.start()
    assert is_reading.wait(PATIENCE_SECONDS)
    database.close()
    thread.join(PATIENCE_SECONDS)
    assert counted == [2_000_000]


def test_closing_lets_go_of_the_file(tmp_path: Path) -> None:
    database = Database(tmp_path / "memory.db")
    database.reader().execute("SELECT 1").fetchone()
    database.close()
    assert not (tmp_path / "memory.db-wal").exists(), "the last connection takes the log with it"
    other = sqlite3.connect(tmp_path / "memory.db", isolation_level=None)
    other.execute("PRAGMA locking_mode = EXCLUSIVE")
    other.execute("BEGIN EXCLUSIVE")
    other.close()
