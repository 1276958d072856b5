"""Running the command line in this process, as a person would type it."""

import json
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from choir.cli.keyring import PROTECTED_HEADER
from choir.cli.main import run
from tests.support.patience import PATIENCE_SECONDS

PASSWORD = "a long enough password"


class Ran(NamedTuple):
    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        """The one JSON document on standard output."""
        return json.loads(self.out)


Choir = Callable[..., Ran]
Harm = Callable[[sqlite3.Connection], object]


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the first test of a module leaves a stopped node's data."""
    return tmp_path_factory.mktemp("filled") / "data"


def harm(data_dir: Path, work: Harm) -> None:
    """Damage a stopped node's memory."""
    with closing(sqlite3.connect(data_dir / "memory.db", isolation_level=None)) as connection:
        work(connection)


def hits_of(choir: Choir, *arguments: str) -> list[dict[str, Any]]:
    """The hits of a search, asked for until there are some by words and by meaning: indexing follows the block."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        hits: list[dict[str, Any]] = choir("search", *arguments, "--json").document["hits"]
        if hits and hits[0]["similarity"] is not None:
            return hits
        assert time.monotonic() < deadline, arguments
        time.sleep(0.1)


@pytest.fixture
def keyring_path(tmp_path: Path) -> Path:
    return tmp_path / "config" / "choir" / "keyring.jwe"


@pytest.fixture
def choir(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path, unused_tcp_port: int
) -> Choir:
    """`choir("key", "new", "alice")`, with a keyring of its own and, unless told, no node to reach."""
    # Every command derives a key from the password, which is slow by intent: `test_keyring.py` does it in earnest.
    monkeypatch.setitem(PROTECTED_HEADER, "p2c", 1_000)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("CHOIR_KEYRING_PASSWORD", PASSWORD)
    monkeypatch.setenv("CHOIR_NODE", f"http://127.0.0.1:{unused_tcp_port}")
    monkeypatch.delenv("CHOIR_KEYRING", raising=False)

    def run_choir(*arguments: str) -> Ran:
        capsys.readouterr()
        code = run(arguments)
        captured = capsys.readouterr()
        if code != 0:
            assert captured.err.count("\n") == 1, captured.err
            assert captured.err.startswith("choir: ")
        return Ran(code, captured.out, captured.err)

    return run_choir


@pytest.fixture
def online(choir: Choir, node_url: str, monkeypatch: pytest.MonkeyPatch) -> Choir:
    """The same, with a node."""
    monkeypatch.setenv("CHOIR_NODE", node_url)
    return choir
