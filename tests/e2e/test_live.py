"""Clients follow a thread of a node in another process while their lines are cut and the node is restarted: at the end
each has exactly the thread's messages, once and in order."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random

import pytest

from choir.client import Client, Wallet
from choir.client.live import Live
from choir.client.live_models import AnyUpdate, Connection, NewMessage, ThreadSync
from tests.support.chain import key
from tests.support.node import NodeProcess, prepare_data_dir
from tests.support.patience import PATIENCE_SECONDS

CLIENTS = 8
MESSAGES = 40


class Proxy:
    """Passes bytes on to a node, and cuts every line when told."""

    def __init__(self) -> None:
        self.port = 0
        self._to: tuple[str, int] = ("127.0.0.1", 0)
        self._lines: set[asyncio.StreamWriter] = set()

    def point_to(self, url: str) -> None:
        self._to = ("127.0.0.1", int(url.rpartition(":")[2]))

    def cut(self, random: Random, share: float) -> None:
        """Without a word, in both directions, in the middle of whatever is under way."""
        for line in [line for line in self._lines if random.random() < share]:
            line.transport.abort()

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[str]:
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        try:
            yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        finally:
            server.close()
            self.cut(Random(0), 2.0)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            node_reader, node_writer = await asyncio.open_connection(*self._to)
        except OSError:
            writer.transport.abort()
            return
        self._lines |= {writer, node_writer}
        try:
            await asyncio.gather(_carry(reader, node_writer), _carry(node_reader, writer))
        finally:
            self._lines -= {writer, node_writer}


async def _carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(ConnectionError):
        while data := await reader.read(1000):
            writer.write(data)
            await writer.drain()
    writer.transport.abort()


class Follower:
    """What one client has seen."""

    def __init__(self) -> None:
        self.hashes: list[str] = []
        self.from_snapshots: set[str] = set()
        self.losses = 0
        self.last_seq = 0

    async def follow(self, live: Live, thread_id: str, slowness: float) -> None:
        live.subscribe(thread_id)
        async for update in live:
            self.see(update)
            await asyncio.sleep(slowness)

    def see(self, update: AnyUpdate) -> None:
        if isinstance(update, Connection):
            self.losses += update.state == "reconnecting"
            return
        assert isinstance(update, ThreadSync | NewMessage)
        assert update.seq > self.last_seq
        self.last_seq = update.seq
        if isinstance(update, ThreadSync):
            assert not update.thread.has_older
            shown = [message.content_hash for message in update.thread.messages.items]
            assert shown[: len(self.hashes)] == self.hashes
            self.hashes = shown
            self.from_snapshots |= set(shown)
        elif update.message.content_hash not in self.from_snapshots:
            self.hashes.append(update.message.content_hash)


async def test_everybody_has_every_message_once_and_in_order(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    random = Random(f"{request.config.option.hypothesis_seed}")
    genesis_file = prepare_data_dir(tmp_path / "node")
    proxy = Proxy()
    async with asyncio.timeout(PATIENCE_SECONDS), contextlib.AsyncExitStack() as stack:
        proxied_url = await stack.enter_async_context(proxy.serving())
        node = await asyncio.to_thread(NodeProcess, tmp_path / "node", genesis_file=str(genesis_file))
        proxy.point_to(node.url)
        try:
            author = await stack.enter_async_context(_author(node.url))
            thread_id = await author.create_thread()
            followers = [Follower() for _ in range(CLIENTS)]
            tasks = [
                asyncio.create_task(_follow(proxied_url, follower, thread_id, random.choice((0, 0, 0.02))))
                for follower in followers
            ]
            for follower in followers:
                await _until(tasks, lambda follower=follower: follower.last_seq > 0)
            sent = await _write(author, thread_id, proxy, random)
            node, author = await _restart(node, proxy, tmp_path / "node", stack)
            sent += await _write(author, thread_id, proxy, random)
            for follower in followers:
                await _until(tasks, lambda follower=follower: len(follower.hashes) >= len(sent))
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        finally:
            node.kill()
    assert all(follower.hashes == sent for follower in followers)
    assert all(follower.losses >= 1 for follower in followers), "the restart cuts everybody"


@asynccontextmanager
async def _author(url: str) -> AsyncIterator[Wallet]:
    async with Client(url) as client:
        yield Wallet(key("author"), client)


async def _follow(url: str, follower: Follower, thread_id: str, slowness: float) -> None:
    """A small buffer, so that slow readers overflow it, and quick retries, so that the test is short."""
    async with Client(url) as client:
        live = Live(client._transport, None, capacity=4, retry_delays_seconds=(0.05, 0.2, 0.5))
        async with live:
            await follower.follow(live, thread_id, slowness)


async def _write(author: Wallet, thread_id: str, proxy: Proxy, random: Random) -> list[str]:
    sent = []
    for number in range(MESSAGES // 2):
        sent.append((await author.post_message(thread_id, f"message {number} " + "word " * 200)).content_hash)
        if random.random() < 0.3:
            proxy.cut(random, random.choice((0.2, 0.5, 1.0)))
        await asyncio.sleep(random.uniform(0, 0.05))
    return sent


async def _restart(
    node: NodeProcess, proxy: Proxy, data_dir: Path, stack: contextlib.AsyncExitStack
) -> tuple[NodeProcess, Wallet]:
    """Killed in the middle of it, and started again on another port."""
    await asyncio.to_thread(node.kill)
    node = await asyncio.to_thread(NodeProcess, data_dir)
    proxy.point_to(node.url)
    return node, await stack.enter_async_context(_author(node.url))


async def _until(tasks: list["asyncio.Task[None]"], is_reached: object) -> None:
    assert callable(is_reached)
    while not is_reached():
        for task in tasks:
            if task.done():
                await task  # what it failed with
        await asyncio.sleep(0.02)
