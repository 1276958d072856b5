"""Every kind of damage that ledger and texts suffice to mend: doctor names it, and mends it when it is told to."""

import asyncio
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from choir.memory.maintenance import open_indexer, rebuild_vectors
from choir.memory.projection import FACTS
from choir.memory.replay import TABLES
from choir.node.data_dir import DataDir
from tests.cli.conftest import Choir, Harm, harm
from tests.cli.test_search import hits_of
from tests.support.node import running_node

DIMENSIONS = 256
LONG = "Goldcrests are small. " + "Every sentence about goldcrests says a little more than the last one did. " * 12


@pytest.fixture
def data_dir(choir: Choir, filled: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of that data directory."""
    if not filled.exists():
        with running_node(filled) as node:
            monkeypatch.setenv("CHOIR_NODE", node.url)
            write_story(choir)
        index(filled)
    return Path(shutil.copytree(filled, tmp_path / "data"))


def write_story(choir: Choir) -> None:
    for name in ("alice", "bob", "carol"):
        choir("key", "new", name)
        choir("faucet", name)
    thread = choir("thread", "create", "# Wrens\n\nWrens build domed nests.", "--as", "alice").out.strip()
    gone = choir("message", "post", thread, "Wrens regret this.", "--as", "alice").out.strip()
    choir("message", "erase", gone, "--as", "alice")
    spec = choir("spec", "submit", thread, "Robins wear red.", "--as", "bob").out.strip()
    assert choir("spec", "approve", spec, "--as", "alice").code == 0
    cited = choir("message", "post", thread, "Robins, again.", "--prior", spec, "--as", "alice").out.strip()
    choir("message", "post", thread, LONG, "--prior", cited, "--privacy", "premium", "--as", "alice")
    opened = choir("spec", "submit", thread, "Larks rise.", "--as", "carol").out.strip()
    assert choir("spec", "approve", opened, "--as", "alice").code == 0
    choir("thread", "create", "Wrens whisper.", "--as", "alice", "--privacy", "thread")
    for levels in (("premium", "thread", "encrypted"), ("thread", "premium")):
        moved = choir("message", "post", thread, f"Wrens {levels}.", "--as", "alice").out.strip()
        for level in levels:
            assert choir("message", "set-privacy", moved, level, "--as", "alice").code == 0


def index(data_dir: Path) -> None:
    """What a node would do of the waiting work when it runs."""

    async def run() -> None:
        async with open_indexer(data_dir, node_key(data_dir), "wordllama") as indexer:
            while await indexer.index_some():
                pass

    asyncio.run(run())


def node_key(data_dir: Path) -> Any:
    directory = DataDir(data_dir)
    directory.close()
    return directory.kept_node_key()


def kept(data_dir: Path) -> dict[str, Any]:
    """What pages and searches are made from, where it does not depend on chance."""
    with closing(sqlite3.connect(data_dir / "memory.db")) as connection:
        queries = {table: ", ".join(columns) for table, columns in TABLES.items()}
        queries["record"] = ", ".join((*FACTS, "content_hash", "characters", "summary", "to_index"))
        queries["keyword_points"] = "point_id, thread_id, author, created_at_ms, privacy, length"
        queries["keyword_terms"] = "term, messages, public_messages"
        queries["keyword_totals"] = "public_messages, public_length"
        queries["centroid"] = "thread_id, messages"
        return {
            table: sorted(connection.execute(f"SELECT {columns} FROM {table}").fetchall(), key=repr)
            for table, columns in queries.items()
        }


def place_of(data_dir: Path, text: str) -> tuple[str, str]:
    """The thread and the author of a text."""
    with closing(sqlite3.connect(data_dir / "memory.db")) as connection:
        query = "SELECT thread_id, author FROM record WHERE text = ?"
        thread_id, author = connection.execute(query, (text,)).fetchone()
        return thread_id, author


def embedding(value: bytes) -> Harm:
    return lambda db: db.execute("UPDATE record SET embedding = ? WHERE text LIKE '# Wrens%'", (value,))


def test_a_sound_memory(choir: Choir, data_dir: Path) -> None:
    ran = choir("doctor", "--data-dir", str(data_dir))
    assert ran.code == 0, ran.out
    assert "8 texts of 9 messages.\nAll of it is as the ledger says." in ran.out


UNIT = np.zeros(DIMENSIONS, dtype="<f4")
UNIT[0] = 1
PUBLIC = "WHERE text LIKE '# Wrens%'"
DAMAGE: dict[str, tuple[str, Harm | str]] = {
    "embedding of NaN": ("not_embedded", embedding((UNIT * np.nan).tobytes())),
    "embedding of zeros": ("not_embedded", embedding((UNIT * 0).tobytes())),
    "embedding of length 2": ("not_embedded", embedding((UNIT * 2).tobytes())),
    "embedding of 3 bytes": ("not_embedded", embedding(b"abc")),
    "embedding that is text": ("not_embedded", f"UPDATE record SET embedding = 'vector' {PUBLIC}"),
    "another's embedding": ("centroid_differs", embedding(UNIT.tobytes())),
    "sealed embedding changed": (
        "not_embedded",
        "UPDATE record SET embedding = zeroblob(length(embedding)) WHERE sealed IS NOT NULL",
    ),
    "private embedding in clear": (
        "not_embedded",
        lambda db: db.execute("UPDATE record SET embedding = ? WHERE sealed IS NOT NULL", (UNIT.tobytes(),)),
    ),
    "hidden embedding": ("still_found", "UPDATE record SET embedding = x'00' WHERE is_erased"),
    "centroid": ("centroid_differs", "UPDATE centroid SET total = zeroblob(length(total))"),
    "centroid's count": ("centroid_differs", "UPDATE centroid SET messages = messages + 1"),
    "centroids gone": ("centroid_differs", "DELETE FROM centroid"),
    "summary": ("summary_differs", "UPDATE record SET summary = text WHERE privacy = 'premium'"),
    "summary of a public text": ("summary_differs", f"UPDATE record SET summary = 'other' {PUBLIC}"),
    "length": ("summary_differs", "UPDATE record SET characters = 1 WHERE sealed IS NOT NULL"),
    **{
        fact: ("facts_differ", f"UPDATE record SET {fact} = {value} {PUBLIC}")
        for fact, value in {
            "author": "'somebody'",
            "thread_id": "'elsewhere'",
            "created_at_ms": "created_at_ms + 1",
            "kind": "'spec'",
            "priors": "'[\"ab\"]'",
            "status": "'open'",
            "privacy": "'premium'",
            "is_erased": "1",
            "tx_hash": "'ab'",
            "seq": "NULL",
        }.items()
    },
    "erasure undone": ("facts_differ", "UPDATE record SET is_erased = 0 WHERE is_erased"),
    "votes": (
        "facts_differ",
        "UPDATE record SET spec = replace(spec, '\"approvals\":[', '\"denials\":[') WHERE status = 'open'",
    ),
    "postings": ("keywords_differ", "DELETE FROM keyword_postings WHERE slot % 2 = 0"),
    "a posting changed": ("keywords_differ", "UPDATE keyword_postings SET data = zeroblob(length(data))"),
    "words renamed": ("keywords_differ", "UPDATE keyword_terms SET term = randomblob(16)"),
    "words forgotten": ("keywords_differ", "DELETE FROM keyword_terms"),
    "counts of words": ("keywords_differ", "UPDATE keyword_terms SET public_messages = public_messages + 1"),
    "totals": ("keywords_differ", "UPDATE keyword_totals SET public_length = 1"),
    "no totals": ("keywords_differ", "DELETE FROM keyword_totals"),
    "words of a message": ("keywords_differ", "UPDATE keyword_points SET terms = zeroblob(length(terms))"),
    "author of the words": ("keywords_differ", "UPDATE keyword_points SET author = 'somebody'"),
    "level of the words": ("not_indexed", "UPDATE keyword_points SET privacy = 'public'"),
    "words gone": ("not_indexed", "DELETE FROM keyword_points"),
    "words of no record": (
        "keywords_differ",
        "INSERT INTO keyword_points VALUES (99, 'a', 'b', 1, 'premium', 0, x'')",
    ),
    **{
        f"{table} emptied": ("projection_differs", f"DELETE FROM {table}")
        for table in ("thread", "co_author", "citation", "voter", "activity")
    },
    "part of threads": ("projection_differs", "DELETE FROM thread WHERE seq > 1"),
    "a co-author too many": ("projection_differs", "INSERT INTO co_author VALUES ('somebody', 1, 'elsewhere')"),
    "history rewritten": ("projection_differs", "UPDATE activity SET body = '{}'"),
}


@pytest.mark.parametrize(("kind", "damage"), DAMAGE.values(), ids=DAMAGE)
def test_what_is_named_and_mended(choir: Choir, data_dir: Path, kind: str, damage: Harm | str) -> None:
    sound = kept(data_dir)
    harm(data_dir, damage if callable(damage) else lambda connection: connection.execute(damage))
    before = (data_dir / "memory.db").read_bytes()
    named = choir("doctor", "--data-dir", str(data_dir), "--json")
    assert named.code == 6
    assert named.document["memory"]["problems"].get(kind), named.document["memory"]
    assert (data_dir / "memory.db").read_bytes() == before, "looking changes nothing"
    mended = choir("doctor", "--data-dir", str(data_dir), "--json", "--repair")
    assert mended.code == 0
    assert mended.document["memory"]["repaired"] == sum(mended.document["memory"]["problems"].values())
    index(data_dir)
    assert kept(data_dir) == sound


def test_much_damage_is_mended_at_once(choir: Choir, data_dir: Path) -> None:
    """And what is mended is sound, before anything is embedded anew and afterwards."""
    for number, (_, damage) in enumerate(DAMAGE.values()):
        if number % 3 == 0:
            harm(data_dir, damage if callable(damage) else lambda connection, sql=damage: connection.execute(sql))
    assert choir("doctor", "--data-dir", str(data_dir)).code == 6
    assert choir("doctor", "--data-dir", str(data_dir), "--repair").code == 0
    for work in (lambda _data_dir: None, index):
        work(data_dir)
        again = choir("doctor", "--data-dir", str(data_dir))
        assert again.code == 0, again.out


def test_a_node_answers_as_before(choir: Choir, data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    thread, bob = place_of(data_dir, "Robins wear red.")
    answers = (
        ("thread", "show", thread, "--json"),
        ("search", "robins", "--json"),
        ("thread", "list", "--co-author", bob, "--json"),
        ("spec", "list", "--voter", bob, "--json"),
    )

    def ask() -> list[Any]:
        with running_node(data_dir) as node:
            monkeypatch.setenv("CHOIR_NODE", node.url)
            hits_of(choir, "robins")
            return [choir(*question).document for question in answers]

    sound = ask()
    assert "Goldcrests are small." in str(sound[0])
    damage = ("summary", "embedding of NaN", "postings", "co_author emptied", "voter emptied", "author")
    for work in (DAMAGE[name][1] for name in damage):
        harm(data_dir, work if callable(work) else lambda connection, sql=work: connection.execute(sql))
    assert choir("doctor", "--data-dir", str(data_dir), "--repair").code == 0
    index(data_dir)
    assert ask() == sound


def test_an_index_on_disk_is_filled_anew_after_a_repair(choir: Choir, data_dir: Path) -> None:
    asyncio.run(rebuild_vectors(data_dir, node_key(data_dir), "wordllama", "edge", lambda _done, _total: None))
    mark = data_dir / "vectors" / "clean"
    assert choir("doctor", "--data-dir", str(data_dir)).code == 0
    assert mark.exists(), "looking changes nothing"
    assert choir("doctor", "--data-dir", str(data_dir), "--repair").code == 0
    assert not mark.exists()


def test_what_the_embedder_refuses_is_no_damage(choir: Choir, data_dir: Path) -> None:
    harm(
        data_dir,
        lambda db: db.execute(
            "UPDATE record SET embedding = NULL, embedder = NULL, to_index = 3 WHERE sealed NOT NULL"
        ),
    )
    harm(data_dir, lambda db: db.execute("DELETE FROM centroid WHERE messages = 1"))
    ran = choir("doctor", "--data-dir", str(data_dir))
    assert ran.code == 0, ran.out
    assert "1 refused by the embedder" in ran.out


def test_a_memory_that_is_ahead_of_its_ledger(choir: Choir, data_dir: Path) -> None:
    harm(data_dir, lambda db: db.execute("UPDATE meta SET value = 999 WHERE key = 'last_seq'"))
    ran = choir("doctor", "--data-dir", str(data_dir), "--repair")
    assert (ran.code, "ahead" in ran.out) == (6, True)


def test_a_ledger_that_began_from_a_snapshot(choir: Choir, data_dir: Path, tmp_path: Path) -> None:
    saved, other = tmp_path / "state.gz", tmp_path / "other"
    assert choir("snapshot", "save", str(saved), "--data-dir", str(data_dir)).code == 0
    assert choir("snapshot", "restore", str(saved), "--data-dir", str(other)).code == 0
    for name in ("memory.db", "node.key"):
        shutil.copy(data_dir / name, other / name)
    assert choir("doctor", "--data-dir", str(other)).code == 0
    harm(other, lambda db: db.execute(f"UPDATE record SET author = 'somebody' {PUBLIC}"))
    mended = choir("doctor", "--data-dir", str(other), "--repair", "--json").document["memory"]
    assert mended["problems"]["facts_differ"] == 1
    index(other)
    assert choir("doctor", "--data-dir", str(other)).code == 0
    assert kept(other) == kept(data_dir)


def test_an_index_on_a_server_is_not_spoken_for(choir: Choir, data_dir: Path) -> None:
    ran = choir("doctor", "--data-dir", str(data_dir), "--repair", "--vector-index", "http://127.0.0.1:1")
    assert (ran.code, "choir memory rebuild" in ran.err) == (0, True)
