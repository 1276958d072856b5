"""Snapshots on the command line: out of one directory, into another, and every kind of damage told in one line."""

import gzip
from pathlib import Path

import pytest

from tests.cli.conftest import Choir
from tests.support.node import running_node


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the first test of the module leaves a snapshot."""
    return tmp_path_factory.mktemp("saved") / "state.gz"


@pytest.fixture
def snapshot(choir: Choir, saved: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    if not saved.exists():
        with running_node(tmp_path / "node") as node:
            monkeypatch.setenv("CHOIR_NODE", node.url)
            choir("key", "new", "alice")
            choir("thread", "create", "Wrens build domed nests.", "--as", "alice")
            assert choir("snapshot", "save", str(saved), "--data-dir", str(tmp_path / "node")).code == 0
    return saved


def test_a_snapshot_begins_a_ledger_that_is_sound(choir: Choir, snapshot: Path, tmp_path: Path) -> None:
    other = str(tmp_path / "other")
    restored = choir("snapshot", "restore", str(snapshot), "--data-dir", other, "--json").document
    ran = choir("doctor", "--data-dir", other, "--json")
    assert (ran.code, "no memory.db" in ran.err) == (6, True)  # a snapshot has no texts
    assert ran.document["ledger"]["app_hash"] == restored["app_hash"]
    assert ran.document["ledger"]["is_replayed"] is False
    assert not (tmp_path / "other" / "node.key").exists()  # who looks makes nothing
    (tmp_path / "other" / "memory.db").touch()
    assert "no node.key" in choir("doctor", "--data-dir", other).err
    assert not (tmp_path / "other" / "node.key").exists()
    again = choir("snapshot", "restore", str(snapshot), "--data-dir", other)
    assert (again.code, "empty data directory" in again.err) == (6, True)


def flipped(raw: bytes) -> bytes:
    middle = len(raw) // 2
    return raw[:middle] + bytes(byte ^ 0x5A for byte in raw[middle : middle + 64]) + raw[middle + 64 :]


@pytest.mark.parametrize("harm", ["cut", "flipped", "no gzip", "empty", "no snapshot", "an entry less"])
def test_a_damaged_snapshot_is_told(choir: Choir, snapshot: Path, tmp_path: Path, harm: str) -> None:
    raw = snapshot.read_bytes()
    lines = gzip.decompress(raw).splitlines(keepends=True)
    damaged = {
        "cut": raw[: len(raw) // 2],
        "flipped": flipped(raw),
        "no gzip": b"hello",
        "empty": b"",
        "no snapshot": gzip.compress(b"hello\n"),
        "an entry less": gzip.compress(b"".join(lines[:-1])),
    }[harm]
    path = tmp_path / "damaged.gz"
    path.write_bytes(damaged)
    ran = choir("snapshot", "restore", str(path), "--data-dir", str(tmp_path / "other"))
    assert ran.code in (2, 6)
    assert not (tmp_path / "other" / "ledger.db").exists()
