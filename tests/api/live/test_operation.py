"""Metrics, and the end of the node."""

import asyncio
import re
from pathlib import Path

import pytest
from websockets.exceptions import InvalidStatus

from choir.api.live.limits import Limits
from tests.api.live.test_slow_clients import deaf_client, post_until_behind
from tests.support.live import Client, LiveWorld, live_world, open_socket
from tests.support.node import running_node


async def metrics(world: LiveWorld) -> dict[str, float]:
    async with world.session.get("/metrics") as response:
        text = await response.text()
    return {name: float(value) for name, value in re.findall(r"^(choir_live\S+) (\S+)$", text, re.MULTILINE)}


async def test_metrics(world: LiveWorld) -> None:
    ann = await world.person("ann")
    thread_id = await ann.thread()
    before = await metrics(world)
    async with world.client() as one, world.client() as two:
        for client in (one, two):
            await client.follow(thread_id)
        await ann.posts(thread_id, "hello")
        for client in (one, two):
            await client.updates(1)
            await client.nothing_more()
        during = await metrics(world)
        await one.socket.send(b"binary")
        await one.closed()
    after = await metrics(world)

    def rise(name: str, now: dict[str, float] = after) -> float:
        return now[name] - before.get(name, 0)

    assert (during["choir_live_connections"], during["choir_live_subscriptions"]) == (2, 2)
    assert rise('choir_live_deliveries_total{kind="message_posted"}') == 2
    assert rise('choir_live_catch_ups_total{kind="snapshot"}') == 2
    assert rise("choir_live_delivery_seconds_count") == 1
    assert rise('choir_live_errors_total{name="InvalidRequest"}') == 2
    assert rise('choir_live_closes_total{code="1003"}') == 1


async def test_connections_are_told_that_the_node_stops(tmp_path: Path) -> None:
    with running_node(tmp_path / "node") as node:
        clients = [Client(await open_socket(node.url, "/v1/ws")) for _ in range(50)]
        stopping = asyncio.create_task(asyncio.to_thread(node.stop))
        for client in clients:
            assert (await client.closed())[0] == 1001
        code = await stopping
        assert code == 0, node.stderr()
        assert '"error"' not in node.stderr()


async def test_a_client_that_does_not_read_does_not_hold_the_node_up(tmp_path: Path) -> None:
    async with live_world(tmp_path / "node") as world:
        ann = await world.person("ann")
        thread_id = await ann.thread()
        deaf = await deaf_client(world, thread_id)
        await post_until_behind(world, ann, thread_id)
        connections = world.node.live.connections
        assert len(connections) == 1
    assert connections == set()
    deaf.socket.transport.abort()


async def test_a_node_that_is_full_says_so(tmp_path: Path) -> None:
    async with live_world(tmp_path / "node", limits=Limits(connections=1)) as world:
        async with world.client():
            with pytest.raises(InvalidStatus, match="503"):
                await world.open("/v1/ws")
        world.node.live.is_running = False
        with pytest.raises(InvalidStatus, match="503"):
            await world.open("/v1/ws")
