"""The audit tells what is missing or broken in a ledger's file, in one line, whatever it is."""

import asyncio
import itertools
import sqlite3
from pathlib import Path

import pytest

from choir.engine.embedded.audit import audit_ledger
from choir.engine.embedded.engine import EmbeddedEngine
from choir.engine.embedded.recovery import HeadFile
from choir.engine.embedded.snapshots import read_snapshot, write_snapshot
from choir.engine.embedded.store import Store
from choir.engine.protocol import EngineError
from choir.ledger.transactions import Transfer
from tests.support.chain import GENESIS_TIME_MS, NODE, key, make_genesis, sign

ALICE, BOB = key("alice"), key("bob")


def make_ledger(directory: Path, blocks: int) -> Path:
    """Blocks of one transfer each."""

    async def fill() -> None:
        ticks = itertools.count(GENESIS_TIME_MS + 1)
        engine = EmbeddedEngine(directory, NODE, make_genesis(["alice"]), clock_ms=lambda: next(ticks))
        await engine.start()
        for nonce in range(blocks):
            await (await engine.submit(sign(ALICE, Transfer(to=BOB.address, amount="1"), nonce))).receipt
        await engine.close()

    asyncio.run(fill())
    return directory / "ledger.db"


@pytest.fixture
def ledger(tmp_path: Path) -> Path:
    return make_ledger(tmp_path, 9)


@pytest.mark.parametrize(
    ("statements", "told"),
    [
        (["DELETE FROM tx WHERE height = 4"], "a transaction of block 4 has changed"),
        (["DELETE FROM tx WHERE height = 1"], "replaying block 1 gives another app hash"),
        (["DELETE FROM block WHERE height = 4"], "block 4 is missing"),
        (["DELETE FROM block WHERE height < 4", "DELETE FROM tx WHERE height < 4"], "the blocks before 4 are missing"),
        (["UPDATE block SET signed_header = '{' WHERE height = 4"], "truncated"),
    ],
)
def test_what_is_missing_is_told(ledger: Path, statements: list[str], told: str) -> None:
    assert audit_ledger(ledger).transactions == 9
    database = sqlite3.connect(ledger, isolation_level=None)
    for statement in statements:
        database.execute(statement)
    database.close()
    with pytest.raises(EngineError, match=told):
        audit_ledger(ledger)


@pytest.mark.parametrize("height", [1, 2, 9])
def test_a_ledger_that_began_from_a_snapshot_is_sound(tmp_path: Path, height: int) -> None:
    _, lines = read_snapshot(make_ledger(tmp_path, height))
    other = tmp_path / "other"
    other.mkdir()
    write_snapshot(other, lines)
    report = audit_ledger(other / "ledger.db")
    assert (report.height, report.blocks, report.is_replayed) == (height, 1, False)


@pytest.mark.parametrize("killed_at", ["initialise", "keep_genesis", "replace"])
def test_a_restore_that_is_killed_leaves_no_ledger_and_can_be_repeated(
    ledger: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, killed_at: str
) -> None:
    class Killed(BaseException):
        pass

    def kill(*_arguments: object, **_named: object) -> None:
        raise Killed

    _, lines = read_snapshot(ledger)
    other = tmp_path / "other"
    other.mkdir()
    with monkeypatch.context() as patched:
        if killed_at == "initialise":
            patched.setattr(Store, "initialise", kill)
        if killed_at == "replace":
            patched.setattr("choir.engine.embedded.snapshots.os.replace", kill)
        with pytest.raises(Killed):
            write_snapshot(other, lines, kill if killed_at == "keep_genesis" else lambda _genesis: None)
    assert not (other / "ledger.db").exists()
    write_snapshot(other, lines)
    assert audit_ledger(other / "ledger.db").height == 9
    assert sorted(path.name for path in other.iterdir()) == ["ledger.db", "ledger.head"]


def test_a_damaged_page_is_told(ledger: Path) -> None:
    with ledger.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * 4096 * 4)
    for look in (audit_ledger, read_snapshot):
        with pytest.raises(EngineError, match="damaged"):
            look(ledger)


@pytest.mark.parametrize("content", [b"", bytes(128), b"garbage running", b"12"])
def test_a_garbled_head_file_names_no_block(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "ledger.head"
    path.write_bytes(content)
    head_file = HeadFile(path)
    assert head_file.read() == (0, False)
    head_file.write(3, is_stopped=True)
    assert head_file.read() == (3, True)
    head_file.close()
