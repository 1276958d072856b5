"""Clients that do not read, answer or acknowledge: they wait, then they go, and others notice nothing."""

import asyncio
import socket
from pathlib import Path
from typing import Any

import pytest

from choir.api.live.frames import CloseCode
from choir.api.live.limits import Limits
from tests.support.live import Client, LivePerson, LiveWorld, live_world
from tests.support.patience import PATIENCE_SECONDS

BIG = "x" * 60_000
FRAME_BYTES = 1 << 20


@pytest.fixture(autouse=True)
def time_to_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """The node cuts a closed line after some seconds, read or not: here whoever was closed may still read why."""
    monkeypatch.setattr("choir.api.live.socket._CLOSING_SECONDS", PATIENCE_SECONDS)


def waiting_bytes(world: LiveWorld) -> list[int]:
    """What waits in this process for each client."""
    sockets: list[Any] = [connection.socket for connection in world.node.live.connections]
    return [each._transport.get_write_buffer_size() for each in sockets]


async def deaf_client(world: LiveWorld, thread_id: str) -> Client:
    """A client that follows a thread and reads nothing of it, with as little room in its own buffers as may be."""
    address, port = world.url.removeprefix("http://").split(":")
    line = socket.socket()
    line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    line.setblocking(False)
    await asyncio.get_running_loop().sock_connect(line, (address, int(port)))
    client = Client(await world.open("/v1/ws", sock=line, max_queue=1, compression=None))
    await client.follow_blindly(thread_id)
    return client


async def until_one_is_left(world: LiveWorld, other: Client) -> None:
    """Wait until the node has closed all but one, which it serves meanwhile."""
    while len(world.node.live.connections) > 1:
        assert max(waiting_bytes(world)) <= world.node.live.limits.waiting_bytes + FRAME_BYTES
        await other.nothing_more()
        await asyncio.sleep(0.01)


async def post_until_behind(world: LiveWorld, ann: LivePerson, thread_id: str) -> list[str]:
    """Post until a client is held back; returns the texts."""
    posted: list[str] = []
    while all(connection.socket.paused_at is None for connection in world.node.live.connections):
        posted.append(f"{len(posted)} {BIG}")
        await ann.posts(thread_id, posted[-1])
        assert len(posted) < 200, "no client was ever held back"
    return posted


async def test_a_client_that_never_reads_is_closed_and_others_notice_nothing(tmp_path: Path) -> None:
    limits = Limits(slow_seconds=2, recent_events=100)
    async with live_world(tmp_path / "node", limits=limits) as world:
        ann = await world.person("ann")
        thread_id = await ann.thread()
        deaf = await deaf_client(world, thread_id)
        async with world.client() as other:
            await other.follow(thread_id)
            posted = await post_until_behind(world, ann, thread_id)
            for number in range(20):
                posted.append(f"more {number} {BIG}")
                await ann.posts(thread_id, posted[-1])
                assert max(waiting_bytes(world)) <= limits.waiting_bytes + FRAME_BYTES
            heard = [u["payload"]["message"]["text"] for u in await other.updates(len(posted))]
            assert heard == posted
            await until_one_is_left(world, other)
            assert await deaf.closed() == (CloseCode.TOO_SLOW, "the client does not read")


async def test_a_client_that_reads_again_gets_what_it_missed(tmp_path: Path) -> None:
    async with live_world(tmp_path / "node", limits=Limits(slow_seconds=PATIENCE_SECONDS)) as world:
        ann = await world.person("ann")
        thread_id = await ann.thread()
        client = await deaf_client(world, thread_id)
        posted = await post_until_behind(world, ann, thread_id)
        for number in range(20):
            posted.append(f"small {number}")
            await ann.posts(thread_id, posted[-1])
        assert (await client.expect("welcome"))["payload"]["address"] is None
        await client.expect("state_sync")
        heard, types = [], []
        while len(heard) < len(posted):
            message = await client.next()
            types.append(message["type"])
            updates = message["payload"].get("updates", [message])
            heard += [update["payload"]["message"]["text"] for update in updates]
        assert heard == posted
        assert "batch" in types
        await client.socket.close()


async def test_a_client_too_far_behind_gets_a_snapshot(tmp_path: Path) -> None:
    async with live_world(tmp_path / "node", limits=Limits(slow_seconds=PATIENCE_SECONDS, recent_events=10)) as world:
        ann = await world.person("ann")
        thread_id = await ann.thread()
        client = await deaf_client(world, thread_id)
        await post_until_behind(world, ann, thread_id)
        for number in range(20):
            await ann.posts(thread_id, f"small {number}")
        await client.expect("welcome")
        await client.expect("state_sync")
        while (message := await client.next())["type"] == "new_message":
            pass
        assert message["type"] == "state_sync"
        assert message["payload"]["messages"]["items"][-1]["text"] == "small 19"
        await ann.posts(thread_id, "live again")
        (update,) = await client.updates(1)
        assert update["payload"]["message"]["text"] == "live again"
        await client.socket.close()


async def test_without_acknowledgement_a_stream_waits(tmp_path: Path) -> None:
    async with live_world(tmp_path / "node", limits=Limits(unacknowledged_updates=3)) as world:
        ann = await world.person("ann")
        thread_id, other = await ann.thread(), await ann.thread()
        async with world.client() as client:
            await client.follow(thread_id)
            await client.follow(other)
            for number in range(8):
                await ann.posts(thread_id, f"message {number}")
            first = await client.updates(3)
            # The other stream goes on.
            await ann.posts(other, "other")
            assert (await client.expect("new_message"))["thread_id"] == other
            await client.send("ack", {"seq": first[-1]["seq"]}, thread_id=thread_id)
            batch = await client.expect("batch")
            assert len(batch["payload"]["updates"]) == 5
            await client.send("ack", {"seq": batch["seq"]}, thread_id=thread_id)
            await ann.posts(thread_id, "at last")
            await client.updates(1)


async def test_where_nothing_waits_no_acknowledgement_is_waited_for(tmp_path: Path) -> None:
    async with live_world(tmp_path / "node", limits=Limits(unacknowledged_updates=3)) as world:
        ann = await world.person("ann")
        thread_id = await ann.thread()
        async with world.client() as client:
            (sync,) = await client.follow(thread_id)
            for number in range(3):
                await ann.posts(thread_id, f"message {number}")
            await client.updates(3)
            (batch,) = await client.follow(thread_id, from_seq=sync["seq"])
            assert len(batch["payload"]["updates"]) == 3
            for _ in range(3):
                await client.nothing_more()
            assert world.node.live.held == {}


async def test_who_never_acknowledges_is_closed(tmp_path: Path) -> None:
    async with live_world(tmp_path / "node", limits=Limits(unacknowledged_updates=3, slow_seconds=1)) as world:
        ann = await world.person("ann")
        thread_id = await ann.thread()
        async with world.client() as client:
            await client.follow(thread_id)
            for number in range(5):
                await ann.posts(thread_id, f"message {number}")
            await client.updates(3)
            assert await client.closed() == (CloseCode.TOO_SLOW, "the client does not acknowledge")


async def test_pings_are_answered_or_the_line_is_cut(tmp_path: Path) -> None:
    limits = Limits(ping_seconds=1, pong_seconds=3)
    async with live_world(tmp_path / "node", limits=limits) as world, world.client() as silent, world.client() as other:
        answers = asyncio.create_task(other.next())
        assert await silent.closed() == (CloseCode.NO_PONG, "no pong")
        # The other answered the pings of that time, and is still there.
        assert [connection.is_closed for connection in world.node.live.connections] == [False]
        answers.cancel()
        await asyncio.gather(answers, return_exceptions=True)


async def test_a_wrong_pong_is_none(tmp_path: Path) -> None:
    limits = Limits(ping_seconds=1, pong_seconds=1)
    async with live_world(tmp_path / "node", limits=limits) as world, world.client() as client:
        await client.send("pong", {"nonce": "guessed"})
        assert (await client.closed())[0] == CloseCode.NO_PONG


async def test_a_client_that_asks_and_never_reads_the_answers(tmp_path: Path) -> None:
    limits = Limits(slow_seconds=2, messages_per_second=1_000_000, burst_messages=1_000_000)
    async with live_world(tmp_path / "node", limits=limits) as world:
        ann = await world.person("ann")
        thread_id = await ann.thread()
        for number in range(4):
            await ann.posts(thread_id, f"{number} {BIG}")
        deaf = await deaf_client(world, thread_id)

        async def ask() -> None:
            while True:
                await deaf.send("subscribe", {"threads": [thread_id]})

        asking = asyncio.create_task(ask())
        async with world.client() as other:
            await until_one_is_left(world, other)
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)
        assert (await deaf.closed())[0] == CloseCode.TOO_SLOW
