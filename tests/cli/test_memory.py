"""Doctor, reembed and rebuild on a stopped node, with damage done by hand."""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.cli.conftest import Choir, Harm, harm
from tests.cli.test_search import hits_of
from tests.support.node import running_node


@pytest.fixture
def data_dir(choir: Choir, filled: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of that data directory."""
    if not filled.exists():
        with running_node(filled) as node:
            monkeypatch.setenv("CHOIR_NODE", node.url)
            choir("key", "new", "alice")
            thread = choir("thread", "create", "# Wrens\n\nWrens build domed nests.", "--as", "alice").out.strip()
            gone = choir("message", "post", thread, "Wrens regret this.", "--as", "alice").out.strip()
            hits_of(choir, "regret", "--thread", thread)
            choir("message", "erase", gone, "--as", "alice")
            private = choir("thread", "create", "Wrens whisper.", "--as", "alice", "--privacy", "thread").out.strip()
            hits_of(choir, "wrens", "--thread", thread)
            hits_of(choir, "wrens", "--thread", private, "--as", "alice")
    return Path(shutil.copytree(filled, tmp_path / "data"))


def run_sql(statement: str) -> Harm:
    return lambda connection: connection.execute(statement)


def test_a_sound_memory(choir: Choir, data_dir: Path) -> None:
    ran = choir("doctor", "--data-dir", str(data_dir))
    assert ran.code == 0, ran.err
    assert "The ledger is sound" in ran.out
    assert "2 texts of 3 messages" in ran.out
    assert "as the ledger says" in ran.out
    memory = choir("doctor", "--data-dir", str(data_dir), "--json").document["memory"]
    assert (memory["messages"], memory["texts"], memory["problems"]) == (3, 2, {})


@pytest.mark.parametrize(
    ("kind", "statement"),
    [
        ("facts_differ", "UPDATE record SET privacy = 'public' WHERE sealed IS NOT NULL"),
        ("facts_differ", "UPDATE record SET status = 'open' WHERE text IS NOT NULL"),
        ("not_indexed", "DELETE FROM keyword_points WHERE privacy = 'public'"),
        ("not_indexed", "UPDATE keyword_points SET privacy = 'public'"),
        ("not_embedded", "UPDATE record SET embedding = NULL WHERE text IS NOT NULL"),
        ("not_embedded", "UPDATE record SET embedder = 'other@1' WHERE text IS NOT NULL"),
        ("still_found", "UPDATE record SET embedding = x'00' WHERE is_erased"),
    ],
)
def test_what_can_be_repaired(choir: Choir, data_dir: Path, kind: str, statement: str) -> None:
    harm(data_dir, run_sql(statement))
    repaired = choir("doctor", "--data-dir", str(data_dir), "--repair", "--json")
    assert repaired.code == 0
    assert repaired.document["memory"]["problems"][kind] == 1
    assert repaired.document["memory"]["repaired"] == sum(repaired.document["memory"]["problems"].values())
    again = choir("doctor", "--data-dir", str(data_dir))
    assert again.code == 0
    assert ("1 waiting to be indexed" in again.out) == (kind != "not_indexed")


def test_doctor_only_looks_and_the_node_finishes_a_repair(
    choir: Choir, data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    harm(data_dir, run_sql("UPDATE record SET privacy = 'public' WHERE sealed IS NOT NULL"))
    harm(data_dir, run_sql("DELETE FROM keyword_points WHERE privacy = 'public'"))
    before = (data_dir / "memory.db").read_bytes()
    ran = choir("doctor", "--data-dir", str(data_dir))
    assert ran.code == 6
    assert "--repair" in ran.err
    assert "1 × facts_differ" in ran.out
    assert (data_dir / "memory.db").read_bytes() == before, "looking changes nothing"
    assert choir("doctor", "--data-dir", str(data_dir), "--repair").code == 0
    with running_node(data_dir) as node:
        monkeypatch.setenv("CHOIR_NODE", node.url)
        assert len(hits_of(choir, "wrens")) == 1
    memory = choir("doctor", "--data-dir", str(data_dir), "--json").document["memory"]
    assert (memory["problems"], memory["waiting"]) == ({}, 0)


@pytest.mark.parametrize(
    ("kind", "statement"),
    [
        ("text_missing", "UPDATE record SET text = NULL, salt = NULL WHERE text IS NOT NULL"),
        ("hash_differs", "UPDATE record SET text = 'forged' WHERE text IS NOT NULL"),
        ("hash_differs", "UPDATE record SET salt = 'none' WHERE text IS NOT NULL"),
        ("unreadable", "UPDATE record SET sealed = x'00' WHERE sealed IS NOT NULL"),
        ("record_missing", "DELETE FROM record WHERE text IS NOT NULL"),
        ("not_on_ledger", "UPDATE record SET content_hash = 'ab' WHERE text IS NOT NULL"),
        ("behind", "UPDATE meta SET value = 1 WHERE key = 'last_seq'; DELETE FROM record"),
    ],
)
def test_what_cannot_be_repaired(choir: Choir, data_dir: Path, kind: str, statement: str) -> None:
    harm(data_dir, lambda connection: connection.executescript(statement))
    ran = choir("doctor", "--data-dir", str(data_dir), "--json", "--repair")
    assert ran.code == 6
    assert ran.document["memory"]["problems"][kind] > 0
    assert ("start the node" if kind == "behind" else "backup") in ran.err


def test_reembed_and_rebuild(choir: Choir, data_dir: Path) -> None:
    harm(data_dir, run_sql("UPDATE record SET embedding = NULL, embedder = NULL"))
    again = choir("memory", "reembed", "--data-dir", str(data_dir), "--json").document
    assert (again["messages"], again["points"], again["embedder"]) == (3, 2, "wordllama")
    rebuilt = choir("memory", "rebuild", "--data-dir", str(data_dir))
    assert "2 embeddings are in the vector index (auto)" in rebuilt.out
    assert choir("doctor", "--data-dir", str(data_dir)).code == 0


def test_each_takes_the_settings_that_the_node_runs_with(
    choir: Choir, data_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    where = ("--data-dir", str(data_dir), "--json")
    with embedding_server() as url:
        embedder = f"{url}#plain#8"
        config = tmp_path / "choir.toml"
        config.write_text(f'embedder = "{embedder}"\nvector_index = "edge"\n')
        told = choir("memory", "reembed", "--embedder", embedder, "--vector-index", "exact", *where).document
        assert (told["points"], told["embedder"]) == (2, embedder)
        assert not (data_dir / "vectors").exists()
        assert choir("doctor", "--embedder", embedder, *where).code == 0
        assert choir("doctor", "--config", str(config), *where).code == 0
        others = choir("doctor", "--embedder", "wordllama", "--config", str(config), *where)
        assert others.document["memory"]["problems"] == {"not_embedded": 2}
        assert choir("memory", "rebuild", "--config", str(config), *where).document["vector_index"] == "edge"
        assert (data_dir / "vectors" / "clean").exists()
        monkeypatch.setenv("CHOIR_EMBEDDER", embedder)
        assert choir("doctor", "--repair", *where).document["memory"]["problems"] == {}


@contextmanager
def embedding_server() -> Iterator[str]:
    script = Path(__file__).parents[1] / "memory" / "embedding_server.py"
    process = subprocess.Popen([sys.executable, str(script)], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        with process.stdout:
            yield f"http://127.0.0.1:{int(process.stdout.readline())}"
    finally:
        process.kill()
        process.wait()


def test_rebuild_of_an_index_on_disk(choir: Choir, data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHOIR_VECTOR_INDEX", "edge")
    assert choir("memory", "rebuild", "--data-dir", str(data_dir), "--json").document["points"] == 2
    assert (data_dir / "vectors" / "clean").exists()


def test_failures_are_one_line(choir: Choir, data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "no ledger" in choir("memory", "rebuild", "--data-dir", str(data_dir / "nowhere")).err
    monkeypatch.setenv("CHOIR_EMBEDDER", "nonsense")
    for command in (("doctor",), ("memory", "reembed"), ("memory", "rebuild")):
        ran = choir(*command, "--data-dir", str(data_dir))
        assert ran.code == 6
        assert "setting embedder (from CHOIR_EMBEDDER)" in ran.err


def test_while_a_node_runs(choir: Choir, data_dir: Path) -> None:
    with running_node(data_dir):
        ran = choir("doctor", "--data-dir", str(data_dir))
        assert ran.code == 0
        assert "not checked" in ran.out
        for arguments in (["doctor", "--repair"], ["memory", "reembed"], ["memory", "rebuild"]):
            refused = choir(*arguments, "--data-dir", str(data_dir))
            assert refused.code == 6
            assert "another node" in refused.err
