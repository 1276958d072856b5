"""The embedded engine under SIGKILL, full disks and damaged files: nothing acknowledged is lost, nothing is half there,
and damage is told, never passed over."""

import asyncio
import os
import random
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from choir.engine.embedded.audit import audit_ledger
from choir.engine.embedded.engine import EmbeddedEngine
from choir.engine.embedded.store import Store
from choir.engine.protocol import EngineError
from choir.ledger.errors import Code, Rejected
from choir.ledger.transactions import Transfer
from tests.engines.crash_writer import NAMES
from tests.support.chain import NODE, key, make_genesis, sign

ROOT = Path(__file__).parents[2]
ALICE, BOB = key("alice"), key("bob")
# So few that SQLite has not yet moved the log into the file, even if the writer goes on for a while.
FEW = 40


def write_until_killed(directory: Path, count: int) -> list[tuple[str, int, int]]:
    """Run the writer, kill it when it has acknowledged ``count``; returns what it acknowledged in all."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.engines.crash_writer", str(directory)], stdout=subprocess.PIPE, cwd=ROOT
    )
    assert process.stdout is not None
    assert process.stdout.readline() == b"started\n"
    lines = [process.stdout.readline() for _ in range(count)]
    process.kill()
    lines += process.stdout.readlines()
    process.stdout.close()
    process.wait()
    acknowledged = []
    for line in lines:
        if line.endswith(b"\n"):
            tx_hash, height, code = line.split()
            acknowledged.append((tx_hash.decode(), int(height), int(code)))
    return acknowledged


def check_after_kill(directory: Path, acknowledged: list[tuple[str, int, int]]) -> None:
    async def reopen() -> None:
        engine = EmbeddedEngine(directory, NODE, make_genesis(NAMES))
        await engine.start()  # raises for any damage
        await engine.close()

    asyncio.run(reopen())
    store = Store(directory / "ledger.db")
    for tx_hash, height, code in acknowledged:
        found = store.transaction(tx_hash)
        assert found is not None, f"acknowledged transaction {tx_hash} of block {height} is lost"
        assert (found[1].height, found[1].code) == (height, code)
    store.close()
    report = audit_ledger(directory / "ledger.db")  # raises for half blocks; replays everything
    assert report.is_replayed


def kill_repeatedly(directory: Path, times: int, seed: int) -> None:
    print(f"seed {seed}")
    randomness = random.Random(seed)
    acknowledged: list[tuple[str, int, int]] = []
    for _ in range(times):
        acknowledged += write_until_killed(directory, randomness.randrange(1, 400))
        check_after_kill(directory, acknowledged)
    assert acknowledged


def test_killed_five_times(tmp_path: Path) -> None:
    kill_repeatedly(tmp_path, 5, seed=random.randrange(2**32))


@pytest.mark.slow
def test_killed_fifty_times(tmp_path: Path) -> None:
    for part in range(5):
        directory = tmp_path / str(part)
        directory.mkdir()
        kill_repeatedly(directory, 10, seed=random.randrange(2**32))


async def fill(directory: Path, count: int) -> None:
    engine = EmbeddedEngine(directory, NODE, make_genesis(["alice"]))
    await engine.start()
    for nonce in range(count):
        receipt = await (await engine.submit(sign(ALICE, Transfer(to=BOB.address, amount="1"), nonce))).receipt
        assert receipt.code == 0
    await engine.close()


async def open_and_close(directory: Path) -> None:
    engine = EmbeddedEngine(directory, NODE, make_genesis(["alice"]))
    await engine.start()
    await engine.close()


def largest_file_bytes(directory: Path) -> int:
    return max(path.stat().st_size for path in directory.iterdir())


async def test_full_disk_is_told_and_passes(tmp_path: Path) -> None:
    """A limit on file sizes makes writes fail like a full disk, here and now, without privileges."""
    engine = EmbeddedEngine(tmp_path, NODE, make_genesis(["alice"]))
    await engine.start()
    old = resource.getrlimit(resource.RLIMIT_FSIZE)
    nonce = 0
    for _ in range(20):
        assert (await (await engine.submit(sign(ALICE, Transfer(to=BOB.address, amount="1"), nonce))).receipt).code == 0
        nonce += 1
    largest = largest_file_bytes(tmp_path)
    resource.setrlimit(resource.RLIMIT_FSIZE, (largest, old[1]))
    try:
        refusal: Rejected | None = None
        while refusal is None:
            try:
                await (await engine.submit(sign(ALICE, Transfer(to=BOB.address, amount="1"), nonce))).receipt
                nonce += 1
            except Rejected as rejected:
                refusal = rejected
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, old)
    assert refusal.code is Code.NotReady
    assert "nothing was changed" in refusal.detail
    # With room again, the same transaction goes through: its nonce was not used.
    assert (await (await engine.submit(sign(ALICE, Transfer(to=BOB.address, amount="1"), nonce))).receipt).code == 0
    await engine.close()
    assert audit_ledger(tmp_path / "ledger.db").transactions == nonce + 1


async def damage_told(directory: Path) -> str | None:
    try:
        await open_and_close(directory)
    except EngineError as error:
        return str(error)
    return None


@pytest.mark.parametrize("place", range(12))
async def test_a_damaged_last_page_is_told(tmp_path: Path, place: int) -> None:
    await fill(tmp_path, 40)
    path = tmp_path / "ledger.db"
    page_bytes = 4096
    with path.open("r+b") as file:
        file.seek(path.stat().st_size - page_bytes)
        page = bytearray(file.read(page_bytes))
        for offset in range(place * page_bytes // 12, (place + 1) * page_bytes // 12):
            page[offset] ^= 0x5A
        file.seek(-page_bytes, os.SEEK_CUR)
        file.write(page)
    told = await damage_told(tmp_path)
    if told is None:
        # The damaged bytes were unused space of the page: then everything must still be there.
        assert audit_ledger(path).transactions == 40
    else:
        assert "damaged" in told


def test_a_damaged_log_is_told(tmp_path: Path) -> None:
    """SQLite itself would end the log at the damaged frame and lose the blocks behind it without a word."""
    acknowledged = write_until_killed(tmp_path, FEW)
    assert acknowledged
    log = tmp_path / "ledger.db-wal"
    with log.open("r+b") as file:
        file.seek(log.stat().st_size // 2)
        page = file.read(4096)
        file.seek(-len(page), os.SEEK_CUR)
        file.write(bytes(byte ^ 0xFF for byte in page))
    with pytest.raises(EngineError, match=r"write-ahead|damaged"):
        asyncio.run(reopen_writer(tmp_path))


def test_a_missing_log_is_told(tmp_path: Path) -> None:
    assert write_until_killed(tmp_path, FEW)
    (tmp_path / "ledger.db-wal").unlink()
    with pytest.raises(EngineError):
        asyncio.run(reopen_writer(tmp_path))


async def reopen_writer(directory: Path) -> None:
    engine = EmbeddedEngine(directory, NODE, make_genesis(NAMES))
    await engine.start()
    await engine.close()


async def test_another_chains_directory_is_refused(tmp_path: Path) -> None:
    await fill(tmp_path, 1)
    engine = EmbeddedEngine(tmp_path, NODE, make_genesis(["alice", "bob"]))
    with pytest.raises(EngineError, match="another genesis"):
        await engine.start()


async def test_a_newer_format_is_refused(tmp_path: Path) -> None:
    await fill(tmp_path, 1)
    store = Store(tmp_path / "ledger.db", is_writer=True)
    store._put_meta("format", b"2")
    store.close()
    with pytest.raises(EngineError, match="newer release"):
        await open_and_close(tmp_path)


async def test_another_key_is_refused(tmp_path: Path) -> None:
    await fill(tmp_path, 1)
    engine = EmbeddedEngine(tmp_path, ALICE)
    with pytest.raises(EngineError, match="not a validator"):
        await engine.start()
