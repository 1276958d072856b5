"""A running node whose files break under it: it says so, goes on with what it can, and keeps nobody waiting."""

import asyncio
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from choir.ledger.errors import Code
from choir.ledger.transactions import CreateThread, Transfer
from tests.support.chain import NODE, digest
from tests.support.node import ROOT, Caller, NodeProcess, Wallet, calling, running_node
from tests.support.patience import PATIENCE_SECONDS


def break_file(path: Path, statement: str) -> None:
    """Change a database behind the node's back."""
    database = sqlite3.connect(path, isolation_level=None, timeout=10)
    database.execute(statement)
    database.close()


async def status_of(node: NodeProcess, path: str) -> int:
    async with calling(node.url, "") as root:
        return (await root.get(path)).status


async def stop(node: NodeProcess) -> None:
    code = await asyncio.to_thread(node.stop)
    assert code == 0, node.stderr()


def test_a_damaged_file_of_runs_is_told_in_one_line(tmp_path: Path) -> None:
    directory = tmp_path / "node"
    directory.mkdir()
    (directory / "chorus.db").write_bytes(b"not a database at all, but long enough to be read as a page" * 100)
    command = [sys.executable, "-m", "choir.cli.main", "up", "--port", "0", "--data-dir", str(directory)]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE_SECONDS, check=False)
    assert ran.returncode == 6
    told = ran.stderr.strip().splitlines()[-1]
    assert told.startswith("choir: ")
    assert "chorus.db cannot be used" in told


async def test_a_memory_that_stops_following(tmp_path: Path) -> None:
    with running_node(tmp_path / "node") as node:
        async with calling(node.url) as caller, asyncio.timeout(PATIENCE_SECONDS):
            alice = Wallet(caller, "alice")
            await alice.fund()
            assert await status_of(node, "/health/ready") == 200
            break_file(tmp_path / "node" / "memory.db", "UPDATE meta SET value = 999 WHERE key = 'last_seq'")
            waiting = [alice.send(Transfer(to=NODE.address, amount="1"), wait="final")]
            for reply in await asyncio.gather(*waiting):
                assert (reply.status, reply.error["name"]) == (503, "NotReady")
                assert "restart" in reply.error["message"]
            assert await status_of(node, "/health/ready") == 503
            assert await status_of(node, "/health/live") == 200
            # The ledger itself is well, and what it knows can be read.
            alice.nonce = (await caller.get(f"/account/{alice.address}")).data["nonce"]
            assert alice.nonce == 1
            assert (await alice.send(Transfer(to=NODE.address, amount="1"), wait="admitted")).status == 202
            await stop(node)
        assert "stopped following" in node.stderr()
    # Told at the next start, too.
    with pytest.raises(AssertionError, match=r"memory\.db has followed the ledger"):
        NodeProcess(tmp_path / "node")


async def test_a_ledger_that_fails(tmp_path: Path) -> None:
    with running_node(tmp_path / "node") as node:
        async with calling(node.url) as caller, asyncio.timeout(PATIENCE_SECONDS):
            alice = Wallet(caller, "alice")
            await alice.fund()
            break_file(tmp_path / "node" / "ledger.db", "DROP TABLE block")
            for _ in range(2):
                reply = await alice.send(Transfer(to=NODE.address, amount="1"), wait="final")
                assert (reply.status, reply.error["name"]) == (503, "NotReady")
                assert reply.headers["Retry-After"] == "1"
            assert "restart the node" in reply.error["message"]
            refused = await caller.post("/faucet", {"address": NODE.address})
            assert (refused.status, refused.error["name"]) == (503, "NotReady")
            assert await status_of(node, "/health/ready") == 503
            assert await status_of(node, "/health/live") == 200
            assert (await caller.get(f"/account/{alice.address}")).data["nonce"] == 0
            await stop(node)


@pytest.mark.slow
async def test_a_memory_that_cannot_be_written(tmp_path: Path) -> None:
    """Content that cannot be kept is never admitted."""
    with running_node(tmp_path / "node") as node:
        async with calling(node.url) as caller, asyncio.timeout(PATIENCE_SECONDS):
            alice = Wallet(caller, "alice")
            thread_id = digest("alice")[:32]
            assert (await alice.send(CreateThread(thread_id=thread_id, privacy="public"))).status == 200
            other = sqlite3.connect(tmp_path / "node" / "memory.db", isolation_level=None)
            other.execute("BEGIN IMMEDIATE")
            refused = await alice.send(alice.post(thread_id, "hello"), "hello")
            assert (refused.status, refused.error["name"]) == (503, "NotReady")
            assert "nothing was changed" in refused.error["message"]
            other.execute("ROLLBACK")
            other.close()
            await assert_accepted(caller, alice, thread_id)


async def assert_accepted(caller: Caller, wallet: Wallet, thread_id: str) -> None:
    assert (await wallet.send(wallet.post(thread_id, "hello"), "hello")).status == 200
    assert (await caller.get(f"/thread/{thread_id}")).data["title"] == "hello"


@pytest.mark.parametrize("is_terminal", [True, False])
def test_logs_tell_the_fault_but_not_the_content(is_terminal: bool) -> None:
    program = f"""
import sys, structlog
sys.stderr.isatty = lambda: {is_terminal}
from choir.node.logs import configure_logs
configure_logs("info")

def fail(text):
    salt = "pepper-" + text
    raise ValueError("broken")

try:
    fail("words of " + "a person")
except ValueError:
    structlog.get_logger().exception("unexpected error", request_id="1234")
"""
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, timeout=PATIENCE_SECONDS, check=True
    )
    told = done.stderr.decode()
    assert "broken" in told
    assert "1234" in told
    assert "a person" not in told
    assert "pepper-words" not in told


async def test_answers_and_logs_never_hold_keys(tmp_path: Path) -> None:
    with running_node(tmp_path / "node") as node:
        async with calling(node.url) as caller:
            alice = Wallet(caller, "alice")
            await alice.fund()
            told = "".join([str((await caller.get(path)).body) for path in ("/network", "/genesis", "/block/1")])
        async with calling(node.url, "") as root:
            told += str((await root.get("/metrics")).body)
        told += node.stderr()
        for name in ("node.key", "faucet.key"):
            assert (tmp_path / "node" / name).read_text().strip() not in told
    assert Code.InternalError.name not in told
