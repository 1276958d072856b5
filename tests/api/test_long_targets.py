"""Addresses that are long, as bytes over a real connection: read up to 128 KiB, and refused in the API's own form."""

import asyncio
import json
from typing import Any
from urllib.parse import quote, urlsplit

import pytest

from choir.api.targets import MAX_TARGET_BYTES
from choir.client import Client
from choir.ledger.errors import Code
from choir.primitives.queries import MAXIMUM_QUERY_CHARACTERS
from tests.support.node import NodeProcess
from tests.support.patience import PATIENCE_SECONDS

WORDS = "quokkas nibble eucalyptus by moonlight " * 2_000


class Connection:
    """One connection, on which requests are written as they stand."""

    def __init__(self, url: str) -> None:
        self._host, self._port = urlsplit(url).hostname, urlsplit(url).port

    async def __aenter__(self) -> "Connection":
        self._reader, self._writer = await asyncio.open_connection(self._host, self._port)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._writer.close()
        await self._writer.wait_closed()

    async def get(self, target: str, method: str = "GET") -> tuple[int, dict[str, str], Any]:
        async with asyncio.timeout(PATIENCE_SECONDS):
            self._writer.write(f"{method} {target} HTTP/1.1\r\nHost: node.test\r\n\r\n".encode())
            await self._writer.drain()
            head = (await self._reader.readuntil(b"\r\n\r\n")).decode()
            status, *lines = head.strip().split("\r\n")
            headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
            body = await self._reader.readexactly(int(headers["content-length"]))
        return int(status.split()[1]), headers, json.loads(body)


@pytest.mark.parametrize(
    ("target", "status"),
    [
        (f"/v1/search?q={'a+' * 40_000}", 200),
        (f"/v1/search?q={quote('鱼' * MAXIMUM_QUERY_CHARACTERS)}", 200),
        (f"/v1/search?q={quote('🦘' * MAXIMUM_QUERY_CHARACTERS)}&k=3#part", 200),
        (f"/v1/threads?limit={'9' * 70_000}", 400),
        (f"/v1/search?q={'a' * (MAX_TARGET_BYTES - len('/v1/search?q='))}", 200),
        (f"/v1/search?q={'a' * (MAX_TARGET_BYTES - len('/v1/search?q=') + 1)}", 414),
        (f"/v1/search?q={'a+' * 500_000}", 414),
        (f"/v1/thread/{'a' * 65_000}", 404),
        (f"/v1/thread/{'a' * 66_000}", 414),
        (f"/v1/{'%41' * 100_000}?q=a", 414),
        (f"/nowhere?{'a' * 200_000}", 414),
    ],
    ids=lambda value: value if isinstance(value, int) else f"{value[:24]} {len(value)}",
)
async def test_a_long_target_has_an_answer_of_the_documented_form(
    shared_node: NodeProcess, target: str, status: int
) -> None:
    async with Connection(shared_node.url) as connection:
        answered, headers, body = await connection.get(target)
        assert answered == status, body
        assert set(body) == {"data", "error", "metadata"}
        assert body["metadata"]["request_id"] == headers["x-request-id"]
        assert headers["content-type"] == "application/json"
        if status == 414:
            assert (body["error"]["code"], body["error"]["name"]) == (320, Code.TargetTooLong.name)
        # The connection is as good as before.
        assert (await connection.get("/v1/network"))[0] == 200
    assert "unexpected error" not in shared_node.stderr()


async def test_a_long_query_says_that_it_was_cut(shared_node: NodeProcess) -> None:
    async with Connection(shared_node.url) as connection:
        _, _, body = await connection.get(f"/v1/search?q={quote(WORDS)[:100_000]}")
        assert body["data"]["query_cut"]
    async with Client(shared_node.url) as client:
        assert (await client.search(WORDS)).query_cut
        assert (await client.search("鱼 " * 100_000)).query_cut
        assert not (await client.search("quokkas")).query_cut
        assert not (await client.search("quokkas" + " " * 200_000)).query_cut


async def test_other_requests_are_unchanged(shared_node: NodeProcess) -> None:
    async with Connection(shared_node.url) as connection:
        status, _, body = await connection.get(f"/v1/threads?limit={'9' * 140_000}", method="POST")
        assert (status, body["error"]["name"]) == (414, "TargetTooLong")
        assert (await connection.get("/v1/threads?limit=1#part"))[0] == 200
