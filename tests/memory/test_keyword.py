"""BM25 by the book, the filter inside, and nothing of private messages in anyone's scores."""

import itertools
import math
import random
import sqlite3
import time
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from choir.memory import keyword_search as keyword_module
from choir.memory.keyword import KeywordEntry, KeywordIndex
from choir.memory.keyword_changes import KeywordChanges
from choir.memory.keyword_search import K1, B, KeywordSearch
from choir.memory.terms import term_counts, text_terms
from choir.memory.vector_index import SearchFilter

TERM_KEY = bytes(range(32))
LEVELS = ("public", "premium", "thread")
EVERYONE = SearchFilter()
ALL = SearchFilter(levels=frozenset(LEVELS))
WORDS = ["blob", "fee", "market", "gas", "token", "proof", "state", "shard", "vote", "stake"]


class Index(KeywordIndex):
    """Writing and searching on one connection."""

    def __init__(self, connection: sqlite3.Connection, term_key: bytes) -> None:
        changes = KeywordChanges()
        super().__init__(connection, term_key, changes)
        self.search = KeywordSearch(connection, term_key, changes).search


@pytest.fixture
def index() -> Iterator[Index]:
    connection = sqlite3.connect(":memory:")
    opened = Index(connection, TERM_KEY)
    opened.create_tables()
    yield opened
    connection.close()


def entry(point_id: int, text: str, privacy: str = "public", **fields: str | int) -> KeywordEntry:
    values = {"thread_id": "t", "author": "a", "created_at_ms": point_id, **fields}
    return KeywordEntry(point_id=point_id, text=text, privacy=privacy, **values)


def random_entries(seed: int, count: int) -> list[KeywordEntry]:
    chance = random.Random(seed)
    return [
        entry(
            number,
            " ".join(chance.choices(WORDS, k=chance.randint(1, 12))),
            chance.choice(LEVELS),
            thread_id=f"t{chance.randint(0, 3)}",
            author=f"a{chance.randint(0, 2)}",
        )
        for number in range(count)
    ]


def by_the_book(entries: list[KeywordEntry], query: str, wanted: SearchFilter) -> list[tuple[int, float]]:
    """BM25 with statistics of public messages, straight from the formula."""
    counts = {e.point_id: term_counts(e.text) for e in entries}
    public = [counts[e.point_id] for e in entries if e.privacy == "public"]
    mean = sum(c.total() for c in public) / len(public)
    scored = []
    for e in entries:
        if not wanted.matches(e.thread_id, e.author, e.created_at_ms, e.privacy):
            continue
        score, length = 0.0, counts[e.point_id].total()
        for term in dict.fromkeys(text_terms(query)):
            having = sum(term in c for c in public)
            weight = math.log(1 + (len(public) - having + 0.5) / (having + 0.5))
            times = counts[e.point_id][term]
            score += weight * times * (K1 + 1) / (times + K1 * (1 - B + B * length / mean))
        if score:
            scored.append((e.point_id, score))
    return sorted(scored, key=lambda pair: (-round(pair[1], 5), pair[0]))


@pytest.mark.parametrize("seed", range(3))
def test_agrees_with_the_formula_and_the_filter(index: Index, seed: int) -> None:
    entries = random_entries(seed, 600)
    index.add(entries)
    for levels, own, rest in itertools.product(
        [frozenset(), frozenset({"public"}), frozenset(LEVELS)],
        [frozenset(), frozenset({"t1"})],
        [
            {},
            {"thread_id": "t1"},
            {"author": "a1"},
            {"since_ms": 100, "until_ms": 160},
            {"author": "' OR 1=1"},
        ],
    ):
        wanted = SearchFilter(levels=levels, own_threads=own, **rest)
        expected = by_the_book(entries, "blob fees and voting", wanted)
        found = index.search("blob fees and voting", wanted, 50)
        assert [score for _, score in found] == pytest.approx([score for _, score in expected[:50]], abs=1e-4), wanted
        assert {i for i, _ in found} <= {i for i, _ in expected}


def test_private_words_change_nothing_for_others(index: Index) -> None:
    index.add([entry(1, "blob fee market"), entry(2, "token vote"), entry(3, "blob")])
    before = index.search("blob market secret", EVERYONE, 10)
    index.add([entry(number, "blob market secret " * 5, "thread") for number in range(10, 60)])
    index.add([entry(70, "secret", "premium")])
    assert index.search("blob market secret", EVERYONE, 10) == before
    index.add([entry(80, "market", "public")])
    index.set_privacy([80], "thread")
    assert index.search("blob market secret", EVERYONE, 10) == before
    index.remove(list(range(10, 60)))
    assert index.search("blob market secret", EVERYONE, 10) == before


def test_privacy_and_removal_take_effect_at_once(index: Index) -> None:
    index.add([entry(1, "unmistakable"), entry(2, "other words", "thread", thread_id="mine")])
    assert [i for i, _ in index.search("unmistakable", EVERYONE, 5)] == [1]
    index.set_privacy([1, 99], "thread")
    assert index.search("unmistakable", EVERYONE, 5) == []
    assert index.search("other", EVERYONE, 5) == []
    assert [i for i, _ in index.search("other", SearchFilter(own_threads=frozenset({"mine"})), 5)] == [2]
    index.set_privacy([1], "public")
    assert [i for i, _ in index.search("unmistakable", EVERYONE, 5)] == [1]
    index.set_privacy([1], "encrypted")
    assert index.search("unmistakable", ALL, 5) == []
    assert index.count() == 1
    with pytest.raises(ValueError, match="encrypted"):
        index.add([entry(3, "words", "encrypted")])


def test_removed_words_are_forgotten(index: Index) -> None:
    index.add([entry(1, "shared unforgettable"), entry(2, "shared")])
    index.remove([1, 1, 404])
    assert index._connection.execute("SELECT count(*) FROM keyword_terms").fetchone()[0] == 1
    index.remove([2])
    tables = ("keyword_points", "keyword_terms", "keyword_postings")
    assert [index._connection.execute(f"SELECT count(*) FROM {name}").fetchone()[0] for name in tables] == [
        0,
        0,
        0,
    ]
    assert index._connection.execute("SELECT * FROM keyword_totals").fetchone() == (1, 0, 0)


def test_no_word_is_stored_and_the_key_decides(index: Index) -> None:
    index.add([entry(1, "Unforgettable sharing", "thread"), entry(2, "public words")])
    dump = b"".join(
        str(value).encode() if not isinstance(value, bytes) else value
        for name in ("keyword_points", "keyword_terms", "keyword_postings")
        for row in index._connection.execute(f"SELECT * FROM {name}")
        for value in row
    )
    for word in (b"nforgett", b"shar", b"ords"):
        assert word not in dump
    # Whoever copies the tables cannot look words up without the node's key.
    other = Index(index._connection, bytes(32))
    assert other.search("unforgettable sharing words", ALL, 5) == []
    assert len(index.search("unforgettable words", ALL, 5)) == 2


def test_private_words_take_no_place_of_public_ones(index: Index) -> None:
    """A query may hold QUERY_TERMS rare words: those that only private messages hold must not use the places up."""
    index.add([entry(1, "blob")])
    query = " ".join([*(f"word{number}" for number in range(keyword_module.QUERY_TERMS)), "blob"])
    before = index.search(query, EVERYONE, 5)
    assert [i for i, _ in before] == [1]
    index.add([entry(2, query, "thread", thread_id="mine")])
    assert index.search(query, EVERYONE, 5) == before
    # Nor words of a thread those of a premium message, for a premium member.
    index.add([entry(3, "zzz", "premium")])
    premium = SearchFilter(levels=frozenset({"public", "premium"}))
    assert {i for i, _ in index.search(f"{query} zzz", premium, 5)} == {1, 3}


def test_adding_again_replaces(index: Index) -> None:
    index.add([entry(1, "old words")])
    index.add([entry(1, "new text", thread_id="u")])
    assert index.search("old", EVERYONE, 5) == []
    assert [i for i, _ in index.search("new", SearchFilter(thread_id="u"), 5)] == [1]
    assert index.count() == 1


@pytest.mark.parametrize(
    ("written", "asked"),
    [
        ("Café crème", "cafe\u0301"),
        ("STRASSE", "straße"),
        ("שלום עולם", "\u202bעולם\u202c"),
        ("مرحبا بالعالم", "بالعالم"),
        ("pass\u200bword \u00adhidden", "password"),
        ("block_gas_limit", "gas limit"),
        ("running proposals", "proposal runs"),
        ("日本語 テキスト", "テキスト"),
    ],
)
def test_unicode(index: Index, written: str, asked: str) -> None:
    index.add([entry(1, written)])
    assert [i for i, _ in index.search(asked, EVERYONE, 5)] == [1]


@pytest.mark.parametrize(
    "query",
    [
        '"',
        "AND OR NOT",
        "a* NEAR(b c)",
        "'; DROP TABLE keyword_points; --",
        "text:fee",
        "(((",
        "\x00",
        "",
        "-",
    ],
)
def test_no_query_is_a_program(index: Index, query: str) -> None:
    index.add([entry(1, "blob")])
    assert index.search(query, EVERYONE, 5) == []
    assert index.count() == 1


def test_ten_thousand_words(index: Index) -> None:
    index.add(random_entries(1, 200))
    started = time.monotonic()
    found = index.search(" ".join(f"word{number} blob" for number in range(10_000)), ALL, 10)
    assert len(found) == 10
    assert time.monotonic() - started < 10


def test_frequent_words_are_left_out_when_the_budget_is_full(index: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    index.add([entry(number, "common") for number in range(50)] + [entry(100, "rare"), entry(101, "common rare")])
    monkeypatch.setattr(keyword_module, "POSTINGS_BUDGET", 10)
    assert [i for i, _ in index.search("common rare", EVERYONE, 100)] == [100, 101]
    assert len(index.search("common", EVERYONE, 100)) == 51


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 5), st.sampled_from(["add", "private", "public", "remove"])), max_size=30))
def test_any_history_ends_where_a_fresh_index_begins(steps: list[tuple[int, str]]) -> None:
    connection, fresh = sqlite3.connect(":memory:"), sqlite3.connect(":memory:")
    index, expected = Index(connection, TERM_KEY), Index(fresh, TERM_KEY)
    index.create_tables()
    expected.create_tables()
    now: dict[int, KeywordEntry] = {}
    for number, (point_id, action) in enumerate(steps):
        if action == "add":
            now[point_id] = entry(point_id, " ".join(WORDS[: 1 + number % 10]))
            index.add([now[point_id]])
        elif action == "remove":
            now.pop(point_id, None)
            index.remove([point_id])
        else:
            level = {"private": "thread", "public": "public"}[action]
            index.set_privacy([point_id], level)
            if point_id in now:
                now[point_id] = entry(point_id, now[point_id].text, level)
    expected.add(now.values())
    for wanted in (EVERYONE, ALL):
        assert index.search("blob fee gas", wanted, 10) == expected.search("blob fee gas", wanted, 10)
    connection.close()
    fresh.close()


def test_point_ids_beyond_the_format_are_refused(index: Index) -> None:
    with pytest.raises(ValueError, match="does not fit"):
        index.add([entry(1 << 28, "word")])
