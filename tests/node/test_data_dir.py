"""A genesis that no chain can begin from leaves the directory as it was: the mended one is taken."""

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from choir.ledger.genesis import Genesis, GenesisError
from choir.node.data_dir import DataDir, DataDirError
from choir.node.node import Node
from choir.node.settings import Settings
from tests.support.chain import key, make_genesis


@pytest.fixture
def data_dir(tmp_path: Path) -> Iterator[DataDir]:
    opened = DataDir(tmp_path / "node")
    yield opened
    opened.close()


def write_genesis(path: Path, **changes: object) -> str:
    path.write_bytes(msgspec.json.encode({**msgspec.to_builtins(make_genesis(["alice"])), **changes}))
    return str(path)


@pytest.mark.parametrize(
    "changes",
    [{"validators": ["X"]}, {"validators": [key("alice").address]}, {"chain_id": ""}, {"council_threshold": 9}],
    ids=str,
)
def test_a_wrong_genesis_is_not_kept(data_dir: DataDir, tmp_path: Path, changes: dict[str, object]) -> None:
    node = data_dir.node_key().address
    with pytest.raises((DataDirError, GenesisError)):
        data_dir.genesis(0, write_genesis(tmp_path / "wrong.json", **{"validators": [node], **changes}))
    assert not (data_dir.path / "genesis.json").exists()
    mended = data_dir.genesis(0, write_genesis(tmp_path / "mended.json", validators=[node]))
    assert isinstance(mended, Genesis)
    assert data_dir.genesis(0, "") == mended


async def test_a_node_on_an_address_with_colons_starts(tmp_path: Path) -> None:
    node = Node(Settings(data_dir=str(tmp_path / "node"), host="::1"))
    await node.start()
    await node.close()
