"""Retries, errors and the envelope, against a small HTTP server whose answers the test scripts."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web

from choir.client import ApiError, Client, NodeUnreachable
from choir.client.errors import UnexpectedAnswer
from choir.client.signing import sign_transaction
from choir.ledger.transactions import Transfer
from choir.primitives.signatures import SigningKey

KEY = SigningKey(bytes(range(32)))
TX = sign_transaction(KEY, Transfer(to=KEY.address, amount="1"), chain_id="test", nonce=0)
RECEIPT = {"code": 0, "detail": "", "height": 1, "index": 0, "name": "Ok", "time_ms": 1, "tx_hash": "aa"}
GRANT = {"tx_hash": "aa", "amount": "1"}

Scripted = tuple[Client, list[str]]


def answer(data: Any, status: int = 200, error: Any = None, headers: dict[str, str] | None = None) -> web.Response:
    metadata = {"request_id": "r1", "height": 1, "node": "test", "took_ms": 0}
    return web.json_response({"data": data, "error": error, "metadata": metadata}, status=status, headers=headers)


def refusal(name: str, code: int, **more: Any) -> dict[str, Any]:
    return {"code": code, "name": name, "message": f"{name} happened.", **more}


@asynccontextmanager
async def scripted(
    *answers: web.Response | None, delays: tuple[float, ...] = ()
) -> AsyncIterator[tuple[Client, list[str]]]:
    """A client of a server that gives these answers in turn; None breaks the connection. And what was asked."""
    script = iter(answers)
    asked: list[str] = []

    async def handle(request: web.Request) -> web.StreamResponse:
        asked.append(f"{request.method} {request.path_qs} {await request.text()}")
        response = next(script)
        if response is None:
            assert request.transport is not None
            request.transport.close()
            await asyncio.sleep(0)
            return web.Response()
        return response

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", handle)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    try:
        async with Client(f"http://{host}:{port}", retry_delays_seconds=delays) as client:
            yield client, asked
    finally:
        await runner.cleanup()


async def test_the_envelope_is_taken_off() -> None:
    async with scripted(answer(RECEIPT)) as (client, asked):
        assert (await client.submit(TX)).name == "Ok"
    assert asked[0].startswith("POST /v1/tx?wait=final ")
    assert '"content"' not in asked[0]


async def test_an_error_has_all_that_the_node_said() -> None:
    error = refusal("ThreadUnknown", 201, field="thread_id")
    async with scripted(answer(None, 404, error)) as (client, _):
        with pytest.raises(ApiError) as caught:
            await client.thread("00")
    found = caught.value
    assert (found.code, found.name, found.field, found.http_status) == (201, "ThreadUnknown", "thread_id", 404)
    assert found.request_id == "r1"
    assert found.receipt is None


async def test_a_node_that_is_busy_is_asked_again() -> None:
    busy = answer(None, 503, refusal("NotReady", 315))
    async with scripted(busy, answer(None, 429, refusal("TooManyRequests", 313)), answer(RECEIPT), delays=(0, 0)) as (
        client,
        asked,
    ):
        await client.submit(TX)
    assert len(set(asked)) == 1
    assert len(asked) == 3


async def test_retries_end() -> None:
    busy = [answer(None, 503, refusal("NotReady", 315)) for _ in range(3)]
    async with scripted(*busy, delays=(0, 0)) as (client, asked):
        with pytest.raises(ApiError, match="NotReady"):
            await client.network()
    assert len(asked) == 3


async def test_retry_after_is_honoured_and_bounded() -> None:
    late = answer(None, 429, refusal("TooManyRequests", 313), {"Retry-After": "3600"})
    async with scripted(late, delays=(0,)) as (client, asked):
        with pytest.raises(ApiError) as caught:
            await client.network()
    assert caught.value.retry_after_seconds == 3600
    assert len(asked) == 1


async def test_a_refusal_that_a_block_holds_is_not_sent_again() -> None:
    receipt = {**RECEIPT, "code": 218, "name": "RateLimited"}
    limited = answer(receipt, 429, refusal("RateLimited", 218, retry_after=1))
    async with scripted(limited, delays=(0,)) as (client, asked):
        with pytest.raises(ApiError) as caught:
            await client.submit(TX)
    assert caught.value.receipt is not None
    assert len(asked) == 1


async def test_a_signed_transaction_is_posted_again_after_a_broken_connection() -> None:
    async with scripted(None, answer(RECEIPT), delays=(0,)) as (client, asked):
        await client.submit(TX)
    assert len(asked) == 2
    assert asked[0] == asked[1]


async def test_the_faucet_is_not_asked_again_after_a_broken_connection() -> None:
    async with scripted(None, answer(GRANT), delays=(0,)) as (client, asked):
        with pytest.raises(NodeUnreachable, match="broke"):
            await client.faucet(KEY.address)
    assert len(asked) == 1


@pytest.mark.parametrize(
    "response",
    [
        web.Response(text="<html>"),
        web.Response(status=502, text="bad gateway"),
        web.json_response({"message": "hello"}, status=404),
        web.json_response({"data": {"chain": 1}, "error": None, "metadata": {}}),
    ],
    ids=["html", "proxy", "other json", "other data"],
)
async def test_what_is_no_node_is_told_from_one(response: web.Response) -> None:
    async with scripted(response, delays=(0,)) as (client, asked):
        with pytest.raises(UnexpectedAnswer, match="not a Choir node"):
            await client.network()
    assert len(asked) == 1


async def test_no_node_says_what_to_do(unused_tcp_port: int) -> None:
    async with Client(f"http://127.0.0.1:{unused_tcp_port}", retry_delays_seconds=()) as client:
        with pytest.raises(NodeUnreachable, match="choir up"):
            await client.network()


@pytest.mark.parametrize("url", ["", "127.0.0.1:8420", "ftp://example.org", "http://"])
def test_a_wrong_address_is_refused_at_once(url: str) -> None:
    with pytest.raises(ValueError, match="address of a node"):
        Client(url)
