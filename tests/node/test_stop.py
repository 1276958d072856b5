"""Stopping: at once, cleanly, with nothing left behind, whatever the node is doing."""

import asyncio
import os
import signal
import time
from pathlib import Path

import aiohttp
import pytest

from choir.ledger.transactions import CreateThread, Transfer
from tests.support.chain import NODE, digest, sign
from tests.support.node import CHAIN_ID, NodeProcess, Wallet, calling, running_node
from tests.support.patience import PATIENCE_SECONDS

SIGNALS = [signal.SIGTERM, signal.SIGINT]


def descendants(process_id: int) -> set[int]:
    """The ids of all processes below one, by the kernel's own table."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                stat = (entry / "stat").read_text()
            except OSError:
                continue
            children.setdefault(int(stat.rpartition(")")[2].split()[1]), []).append(int(entry.name))
    found: set[int] = set()
    waiting = [process_id]
    while waiting:
        below = children.get(waiting.pop(), [])
        found.update(below)
        waiting += below
    return found


def is_alive(process_id: int) -> bool:
    try:
        state = Path(f"/proc/{process_id}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def assert_all_end(processes: set[int]) -> None:
    give_up = time.monotonic() + PATIENCE_SECONDS
    while any(is_alive(process) for process in processes):
        assert time.monotonic() < give_up, f"left behind: {[p for p in processes if is_alive(p)]}"
        time.sleep(0.02)


async def burst(url: str, size: int) -> None:
    """Transactions of many senders at once: more signatures than are checked in place."""
    async with aiohttp.ClientSession(url, connector=aiohttp.TCPConnector(limit=0)) as session:

        async def post(number: int) -> None:
            body = Transfer(to=NODE.address, amount="1")
            raw = sign(Wallet(None, f"burst-{number}").key, body, 0, CHAIN_ID).raw  # type: ignore[arg-type]
            try:
                async with session.post("/v1/tx?wait=final", data=b'{"tx":' + raw + b"}") as response:
                    await response.read()
            except aiohttp.ClientError:
                pass  # the node may stop under us: that is what is tested

        await asyncio.gather(*(post(number) for number in range(size)))


@pytest.mark.parametrize("number", SIGNALS)
async def test_with_idle_connections(tmp_path: Path, number: int) -> None:
    with running_node(tmp_path / "node") as node:
        host, port = node.url.removeprefix("http://").split(":")
        request = b"GET /v1/network HTTP/1.1\r\nHost: x\r\n\r\n"
        kept = []
        for step in range(20):
            reader, writer = await asyncio.open_connection(host, int(port))
            # Some have been answered, some have sent half a request, some nothing at all.
            if step % 3:
                writer.write(request if step % 3 == 1 else request[:30])
                await writer.drain()
            if step % 3 == 1:
                await reader.readuntil(b"}}")
            kept.append((reader, writer))
        code = await asyncio.to_thread(node.stop, number)
        for _, writer in kept:
            writer.close()
    assert code == 0


async def test_under_load_nothing_acknowledged_is_lost(tmp_path: Path) -> None:
    acknowledged: list[str] = []
    enough = asyncio.Event()
    with running_node(tmp_path / "node") as node:

        async def write(number: int) -> None:
            async with calling(node.url) as caller:
                wallet = Wallet(caller, f"load-{number}")
                try:
                    while True:
                        thread_id = digest(f"{number}-{wallet.nonce}")[:32]
                        reply = await wallet.send(CreateThread(thread_id=thread_id, privacy="public"))
                        if reply.status == 503:
                            return
                        acknowledged.append(reply.data["tx_hash"])
                        if len(acknowledged) == 200:
                            enough.set()
                except (aiohttp.ClientError, ConnectionError):
                    return

        writers = [asyncio.create_task(write(number)) for number in range(16)]
        await enough.wait()
        code = await asyncio.to_thread(node.stop)
        await asyncio.gather(*writers)
    assert code == 0, node.stderr()
    assert '"error"' not in node.stderr()
    with running_node(tmp_path / "node") as node:
        async with calling(node.url) as caller:
            for tx_hash in acknowledged[-50:]:
                assert (await caller.get(f"/tx/{tx_hash}")).data["receipt"]["code"] == 0


async def node_with_workers(node: NodeProcess) -> set[int]:
    """Make the node start its verification workers; returns the processes below it."""
    give_up = time.monotonic() + PATIENCE_SECONDS
    while not (below := descendants(node.process.pid)):
        assert time.monotonic() < give_up, "no workers were started"
        await burst(node.url, 300)
    return below


async def test_workers_end_with_their_node(tmp_path: Path) -> None:
    with running_node(tmp_path / "node") as node:
        below = await node_with_workers(node)
        code = await asyncio.to_thread(node.stop, signal.SIGINT)
    assert code == 0, node.stderr()
    assert_all_end(below)


async def test_workers_end_when_a_burst_is_cut_off(tmp_path: Path) -> None:
    with running_node(tmp_path / "node") as node:
        below = await node_with_workers(node)
        bursting = asyncio.create_task(burst(node.url, 2000))
        await asyncio.sleep(0.3)
        below |= descendants(node.process.pid)
        code = await asyncio.to_thread(node.stop)
        await bursting
    assert code == 0, node.stderr()
    assert_all_end(below)


async def test_workers_end_after_their_node_was_killed(tmp_path: Path) -> None:
    with running_node(tmp_path / "node") as node:
        below = await node_with_workers(node)
        os.kill(node.process.pid, signal.SIGKILL)
        node.process.wait()
    assert_all_end(below)


@pytest.mark.slow
async def test_a_killed_worker_is_replaced(tmp_path: Path) -> None:
    with running_node(tmp_path / "node") as node:
        for process in await node_with_workers(node):
            os.kill(process, signal.SIGKILL)
        await burst(node.url, 100)
        async with calling(node.url) as caller:
            wallet = Wallet(caller, "after")
            await wallet.fund()
            assert (await wallet.send(Transfer(to=NODE.address, amount="5"))).status == 200


async def test_a_killed_node_starts_again_where_it_was(tmp_path: Path) -> None:
    with running_node(tmp_path / "node") as node:
        async with calling(node.url) as caller:
            wallet = Wallet(caller, "survivor")
            await wallet.fund()
            thread_id = digest("survivor")[:32]
            assert (await wallet.send(CreateThread(thread_id=thread_id, privacy="public"))).status == 200
            post = wallet.post(thread_id, "still here")
            assert (await wallet.send(post, "still here")).status == 200
        node.kill()
    with running_node(tmp_path / "node") as node:
        async with calling(node.url) as caller:
            assert (await caller.get(f"/message/{post.content_hash}")).data["text"] == "still here"
            assert len((await caller.get("/threads")).data["items"]) == 1
