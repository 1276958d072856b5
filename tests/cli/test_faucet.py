"""A chain of people's own has no faucet, and `choir faucet` says so."""

from pathlib import Path

import msgspec
import pytest

from tests.cli.conftest import Choir
from tests.support.chain import NODE, make_genesis
from tests.support.node import running_node


def test_a_chain_without_a_faucet(choir: Choir, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    directory = tmp_path / "node"
    directory.mkdir()
    (directory / "genesis.json").write_bytes(msgspec.json.encode(make_genesis(["alice"])))
    (directory / "node.key").write_text(NODE.seed.hex())
    choir("key", "new", "alice")
    with running_node(directory) as node:
        monkeypatch.setenv("CHOIR_NODE", node.url)
        ran = choir("faucet", "alice")
    assert (ran.code, "has no faucet" in ran.err) == (1, True)
