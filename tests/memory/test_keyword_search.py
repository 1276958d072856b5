"""What keyword search holds in memory never outlives what the file says: against a reader that begins anew."""

import random
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from choir.memory import keyword_changes, keyword_search
from choir.memory.keyword import KeywordEntry, KeywordIndex
from choir.memory.keyword_changes import KeywordChanges
from choir.memory.keyword_search import KeywordSearch
from choir.memory.vector_index import SearchFilter

TERM_KEY = bytes(range(32))
LEVELS = ("public", "premium", "thread")
WORDS = [f"word{number}" for number in range(12)]
FILTERS = (
    SearchFilter(),
    SearchFilter(levels=frozenset(LEVELS)),
    SearchFilter(own_threads=frozenset({"t1"})),
    SearchFilter(author="a1", since_ms=5),
)
QUERY = " ".join(WORDS[:5])


class Files:
    """One writing and one reading connection, as in a node."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.writer = sqlite3.connect(path, isolation_level=None)
        self.writer.execute("PRAGMA journal_mode = WAL")
        self.changes = KeywordChanges()
        self.index = KeywordIndex(self.writer, TERM_KEY, self.changes)
        self.index.create_tables()
        self.reader = sqlite3.connect(path, isolation_level=None)
        self.held = KeywordSearch(self.reader, TERM_KEY, self.changes)

    def anew(self) -> list[list[tuple[int, float]]]:
        """What a reader finds that holds nothing yet."""
        connection = sqlite3.connect(self.path, isolation_level=None)
        fresh = KeywordSearch(connection, TERM_KEY, KeywordChanges())
        found = [fresh.search(QUERY, wanted, 20) for wanted in FILTERS]
        connection.close()
        return found

    def found(self) -> list[list[tuple[int, float]]]:
        return [self.held.search(QUERY, wanted, 20) for wanted in FILTERS]


@pytest.fixture
def files(tmp_path: Path) -> Iterator[Files]:
    opened = Files(tmp_path / "words.db")
    yield opened
    opened.reader.close()
    opened.writer.close()


def change(index: KeywordIndex, chance: random.Random) -> None:
    point_ids = [chance.randrange(40) for _ in range(chance.randint(1, 4))]
    match chance.randrange(4):
        case 0:
            index.remove(point_ids)
        case 1:
            index.set_privacy(point_ids, chance.choice(LEVELS))
        case _:
            index.add(
                KeywordEntry(
                    point_id,
                    " ".join(chance.choices(WORDS, k=chance.randint(1, 9))),
                    f"t{chance.randrange(3)}",
                    f"a{chance.randrange(3)}",
                    chance.randrange(10),
                    chance.choice(LEVELS),
                )
                for point_id in point_ids
            )


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("numbers_kept", [1 << 20, 12, 0])
def test_any_history_of_writes(files: Files, monkeypatch: pytest.MonkeyPatch, seed: int, numbers_kept: int) -> None:
    """Some writes are rolled back, some share a transaction, and the history may forget them before they are read."""
    monkeypatch.setattr(keyword_changes, "_NUMBERS_KEPT", numbers_kept)
    monkeypatch.setattr(keyword_search, "POSTINGS_KEPT", 30)
    chance = random.Random(seed)
    for _ in range(60):
        files.writer.execute("BEGIN IMMEDIATE")
        for _ in range(chance.randint(1, 3)):
            change(files.index, chance)
        if chance.random() < 0.5:
            before = files.found()  # what is not committed changes nothing
            assert files.found() == before == files.anew()
        files.writer.execute(chance.choice(["COMMIT", "COMMIT", "ROLLBACK"]))
        if chance.random() < 0.7:
            assert files.found() == files.anew(), f"seed {seed}"


def test_another_process_may_write(files: Files) -> None:
    files.index.add([KeywordEntry(1, QUERY, "t1", "a1", 1, "public")])
    assert [point_id for point_id, _ in files.found()[0]] == [1]
    other = sqlite3.connect(files.path, isolation_level=None)
    KeywordIndex(other, TERM_KEY, KeywordChanges()).remove([1])
    other.close()
    assert files.found()[0] == []


def test_postings_in_memory_are_bounded(files: Files, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keyword_search, "POSTINGS_KEPT", 25)
    files.index.add(KeywordEntry(number, QUERY, "t", "a", number, "public") for number in range(10))
    assert len(files.held.search(QUERY, SearchFilter(), 100)) == 10
    assert files.held._postings_held == sum(len(term) for term in files.held._terms.values()) == 20
    assert len(files.held.search(WORDS[0], SearchFilter(), 100)) == 10


def test_many_equal_scores_are_in_the_order_of_their_ids(files: Files) -> None:
    files.index.add(KeywordEntry(number, "same", "t", "a", number, "public") for number in range(300))
    files.index.add([KeywordEntry(400, "same same same", "t", "a", 1, "public")])
    assert [point_id for point_id, _ in files.held.search("same", SearchFilter(), 50)] == [400, *range(49)]
