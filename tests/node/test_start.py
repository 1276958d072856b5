"""What keeps a node from starting: each ends with one line that says what to do, and leaves the directory free."""

import os
import shutil
import socket
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from choir.engine.protocol import EngineError
from choir.ledger.genesis import DEVELOPMENT_PARAMS, GenesisError
from choir.memory.database import MemoryUnusable
from choir.node.data_dir import DataDir, DataDirError
from choir.node.node import Node
from choir.node.server import PortTaken, _listen, serve
from choir.node.settings import Settings
from tests.support.chain import key
from tests.support.node import ROOT, prepare_data_dir, running_node, write_key
from tests.support.patience import PATIENCE_SECONDS

Refused = tuple[type[Exception], list[str]]


def refusal(settings: Settings) -> Exception:
    """Serve and expect to be refused before a request could be answered."""

    def on_ready(node: Node, url: str) -> None:
        raise AssertionError(f"the node serves at {url}")

    with pytest.raises((DataDirError, PortTaken, EngineError, MemoryUnusable, GenesisError)) as refused:
        serve(settings, on_ready)
    return refused.value


def settings_for(data_dir: Path, genesis_file: Path | None = None) -> Settings:
    return Settings(port=0, data_dir=str(data_dir), genesis_file=str(genesis_file or ""))


@pytest.fixture(scope="module")
def stopped_node(tmp_path_factory: pytest.TempPathFactory) -> Path:
    with running_node(tmp_path_factory.mktemp("stopped") / "node") as node:
        assert node.stop() == 0
    return node.data_dir


@pytest.fixture
def used(tmp_path: Path, stopped_node: Path) -> Path:
    """The directory of a node that ran and stopped."""
    return Path(shutil.copytree(stopped_node, tmp_path / "node"))


def assert_refused(settings: Settings, kind: type[Exception], *told: str) -> None:
    error = refusal(settings)
    assert type(error) is kind
    message = str(error)
    assert "\n" not in message
    for part in told:
        assert part in message
    # The directory is not left locked.
    if Path(settings.data_dir).is_dir():
        DataDir(Path(settings.data_dir)).close()


def test_a_second_node_on_the_same_directory(tmp_path: Path) -> None:
    with running_node(tmp_path / "node") as node:
        error = refusal(settings_for(node.data_dir))
        assert isinstance(error, DataDirError)
        assert "another node is using" in str(error)
        assert "--data-dir" in str(error)


def test_a_taken_port(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        settings = Settings(port=port, data_dir=str(tmp_path / "node"))
        assert_refused(settings, PortTaken, f"127.0.0.1:{port}", "--port")
    assert not (tmp_path / "node").exists()


def test_a_port_that_another_node_is_about_to_use(tmp_path: Path) -> None:
    """Bound, not yet listening: two nodes started at the same moment must not both believe that they have it."""
    first = _listen("127.0.0.1", 0)
    try:
        with pytest.raises(PortTaken):
            _listen("127.0.0.1", first.getsockname()[1])
    finally:
        first.close()


@pytest.mark.parametrize("host", ["203.0.113.7", "2001:db8::7"])
def test_a_host_that_is_not_ours(tmp_path: Path, host: str) -> None:
    assert_refused(Settings(port=0, host=host, data_dir=str(tmp_path / "node")), PortTaken, host)


def test_a_directory_of_another_chain(tmp_path: Path, used: Path) -> None:
    other = prepare_data_dir(tmp_path / "other")
    assert_refused(settings_for(used, other), DataDirError, "another genesis", "--data-dir")


def test_a_ledger_of_another_chain(tmp_path: Path, used: Path) -> None:
    other = prepare_data_dir(tmp_path / "other")
    (used / "genesis.json").write_bytes(other.read_bytes())
    assert_refused(settings_for(used), EngineError, "another genesis")


def set_format(path: Path, number: int) -> None:
    database = sqlite3.connect(path, isolation_level=None)
    value = str(number).encode() if path.name == "ledger.db" else number
    assert database.execute("UPDATE meta SET value = ? WHERE key = 'format'", (value,)).rowcount == 1
    database.close()


@pytest.mark.parametrize(("name", "kind"), [("ledger.db", EngineError), ("memory.db", MemoryUnusable)])
def test_a_newer_format(used: Path, name: str, kind: type[Exception]) -> None:
    set_format(used / name, 2)
    assert_refused(settings_for(used), kind, name, "format 2", "install the newer release")


def no_database(path: Path) -> None:
    path.write_bytes(b"This is no database, it only stands where one should. " * 100)


def another_database(path: Path) -> None:
    path.unlink()
    database = sqlite3.connect(path)
    database.execute("CREATE TABLE meta (key TEXT PRIMARY KEY, value)")
    database.commit()
    database.close()


def a_directory(path: Path) -> None:
    path.unlink()
    path.mkdir()


@pytest.mark.parametrize("damage", [no_database, another_database, a_directory])
@pytest.mark.parametrize(("name", "kind"), [("ledger.db", EngineError), ("memory.db", MemoryUnusable)])
def test_a_file_that_is_not_ours(used: Path, name: str, kind: type[Exception], damage: Callable[[Path], None]) -> None:
    damage(used / name)
    assert_refused(settings_for(used), kind, name)


def test_a_memory_ahead_of_its_ledger(used: Path) -> None:
    database = sqlite3.connect(used / "memory.db", isolation_level=None)
    database.execute("UPDATE meta SET value = 99 WHERE key = 'last_seq'")
    database.close()
    assert_refused(settings_for(used), EngineError, "memory.db", "one backup")


@pytest.mark.parametrize("content", [b"", b"xyz\n", b"ab" * 31, b"ab" * 33, b"\xff" * 64])
def test_a_damaged_key(used: Path, content: bytes) -> None:
    (used / "node.key").write_bytes(content)
    assert_refused(settings_for(used), DataDirError, "node.key", "backup")


def test_another_key(used: Path) -> None:
    (used / "node.key").unlink()
    write_key(used / "node.key", key("somebody else"))
    assert_refused(settings_for(used), EngineError, "not a validator")


@pytest.mark.parametrize("content", [b"", b"{}", b"hello", b"[]", b"\xff"])
def test_a_damaged_genesis(used: Path, content: bytes) -> None:
    (used / "genesis.json").write_bytes(content)
    assert_refused(settings_for(used), GenesisError, "genesis")


def test_a_genesis_file_that_is_not_there(tmp_path: Path) -> None:
    assert_refused(settings_for(tmp_path / "node", tmp_path / "none.json"), DataDirError, "none.json")


@pytest.mark.parametrize(
    ("field", "value"),
    [("validators", []), ("validators", ["nobody"]), ("allocations", {"nobody": "5"}), ("council_threshold", 9)],
)
def test_a_genesis_against_the_rules(tmp_path: Path, field: str, value: object) -> None:
    file = prepare_data_dir(tmp_path / "node")
    genesis = {**msgspec.json.decode(file.read_bytes()), field: value}
    file.write_bytes(msgspec.json.encode(genesis))
    assert_refused(settings_for(tmp_path / "node", file), GenesisError, "genesis")


def test_a_genesis_of_another_node(tmp_path: Path) -> None:
    file = prepare_data_dir(tmp_path / "other")
    assert_refused(settings_for(tmp_path / "node", file), DataDirError, "not a validator")


def test_a_file_in_the_directorys_place(tmp_path: Path) -> None:
    (tmp_path / "node").write_text("here I stand")
    assert_refused(settings_for(tmp_path / "node"), DataDirError, str(tmp_path / "node"))


def test_a_directory_that_cannot_be_made(tmp_path: Path) -> None:
    assert_refused(settings_for(Path("/proc/choir")), DataDirError, "/proc/choir")


@pytest.fixture
def as_nobody(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Path], str]:
    """Runs a node as a user without rights; returns the last line of what it says."""
    if os.geteuid() != 0:
        pytest.skip("only root can become nobody")

    def run(data_dir: Path) -> str:
        program = (
            "import sys, os; from choir.node.server import serve; from choir.node.settings import Settings\n"
            "os.setgid(65534); os.setuid(65534)\n"
            f"serve(Settings(port=0, data_dir={str(data_dir)!r}), lambda node, url: os._exit(9))"
        )
        done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, timeout=PATIENCE_SECONDS)
        return done.stderr.decode().strip().splitlines()[-1]

    return run


def test_a_directory_without_rights(tmp_path: Path, as_nobody: Callable[[Path], str]) -> None:
    (tmp_path / "node").mkdir(mode=0o700)
    tmp_path.chmod(0o755)
    told = as_nobody(tmp_path / "node")
    assert told.startswith("choir.node.data_dir.DataDirError: ")
    assert "Permission denied" in told
    assert str(tmp_path) in told


@pytest.mark.parametrize("name", ["node.key", "genesis.json"])
def test_files_that_cannot_be_read(used: Path, name: str) -> None:
    (used / name).unlink()
    (used / name).mkdir()
    assert_refused(settings_for(used), DataDirError, name)


def test_everything_is_for_its_owner_only(tmp_path: Path) -> None:
    (tmp_path / "node").mkdir(mode=0o755)
    with running_node(tmp_path / "node") as node:
        assert stat.S_IMODE(node.data_dir.stat().st_mode) == 0o700
        files = list(node.data_dir.iterdir())
        assert {"ledger.db", "memory.db", "node.key", "faucet.key", "genesis.json", "lock"} <= {f.name for f in files}
        for path in files:
            assert stat.S_IMODE(path.stat().st_mode) == 0o600, path


def test_a_development_chain_only_where_the_node_made_it(tmp_path: Path) -> None:
    file = prepare_data_dir(tmp_path / "node", DEVELOPMENT_PARAMS)
    (tmp_path / "node" / "faucet.key").unlink()
    node = Node(settings_for(tmp_path / "node", file))
    try:
        assert not node.is_development
    finally:
        node.data_dir.close()
