"""Signing in, submitting, and everything that a client can get wrong."""

import asyncio
import json
from typing import Any

import pytest
from websockets.exceptions import InvalidStatus

from choir.api.live.origin import validate_origin
from choir.ledger.errors import Rejected
from choir.ledger.transactions import CreateThread, Transfer
from tests.support.chain import NODE, digest
from tests.support.live import Client, LiveWorld, connected, open_socket, sign_in
from tests.support.node import NodeProcess


async def refused(client: Client, type_name: str, payload: Any = None, **envelope: Any) -> dict[str, Any]:
    """The payload of the error that answers a message."""
    message_id = await client.send(type_name, payload, **envelope)
    message = await client.expect("error")
    assert message["id"] == message_id
    error: dict[str, Any] = message["payload"]
    return error


async def test_a_submission_is_answered_twice_under_its_own_id(world: LiveWorld) -> None:
    ann = await world.person("ann")
    async with world.client() as client:
        thread_id = digest("answered twice")[:32]
        first = await client.submit(ann, CreateThread(thread_id=thread_id, privacy="public"))
        second = await client.submit(ann, ann.post(thread_id, "hello"), "hello")
        answers = [await client.next() for _ in range(4)]
    for message_id in (first, second):
        submitted, receipt = [a for a in answers if a["id"] == message_id]
        assert (submitted["type"], receipt["type"]) == ("submitted", "receipt")
        assert receipt["payload"]["receipt"]["tx_hash"] == submitted["payload"]["tx_hash"]
        assert receipt["payload"]["receipt"]["code"] == 0
        assert "error" not in receipt["payload"]


async def test_what_the_ledger_refuses_has_its_error_with_the_receipt(world: LiveWorld) -> None:
    ann = await world.person("ann")
    async with world.client() as client:
        message_id = await client.submit(ann, Transfer(to=NODE.address, amount="9" * 14))
        assert (await client.expect("submitted"))["id"] == message_id
        receipt = await client.expect("receipt")
    assert receipt["id"] == message_id
    assert receipt["payload"]["error"]["name"] == "InsufficientFunds"
    assert receipt["payload"]["receipt"]["code"] == receipt["payload"]["error"]["code"]


async def test_what_is_refused_before_a_block_is_answered_once(world: LiveWorld) -> None:
    ann = await world.person("ann")
    thread_id = await ann.thread()
    async with world.client() as client:
        await client.submit(ann, ann.post(thread_id, "no content"))
        assert (await client.expect("error"))["payload"]["name"] == "ContentMissing"
        ann.nonce += 5
        await client.submit(ann, ann.post(thread_id, "gap"), "gap")
        assert (await client.expect("error"))["payload"]["name"] == "NonceMismatch"


async def test_a_large_submission(world: LiveWorld) -> None:
    ann = await world.person("ann")
    thread_id, text = await ann.thread(), "ü" * 32_768
    async with world.client() as client:
        await client.follow(thread_id)
        await client.submit(ann, ann.post(thread_id, text), text)
        messages = {m["type"]: m for m in [await client.next() for _ in range(3)]}
    assert messages["new_message"]["payload"]["message"]["text"] == text


async def test_sign_in_needs_a_session_that_lasts(world: LiveWorld) -> None:
    ann = await world.person("ann")
    async with world.client() as client:
        assert (await refused(client, "auth", {"token": "x"}))["name"] == "NotSignedIn"
        assert await world.as_person(ann).post("/auth/logout") == 200
        # The same message that would have signed in before, replayed.
        assert (await refused(client, "auth", {"token": ann.token}))["name"] == "NotSignedIn"
        assert (await refused(client, "subscribe", {"account": True}))["name"] == "NotSignedIn"


async def test_a_connection_is_of_one_account(world: LiveWorld) -> None:
    ann, ben = await world.person("ann"), await world.person("ben")
    async with world.client(ann) as client:
        assert (await refused(client, "auth", {"token": ben.token}))["name"] == "AlreadySignedIn"
        # The same again, or a newer session of the same account, is welcome.
        for token in (ann.token, await sign_in(world.caller, ann.key)):
            assert (await client.sign_in(token))["payload"]["address"] == ann.address


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("", "MalformedJson"),
        ("{", "MalformedJson"),
        ("[]", "InvalidField"),
        ("null", "InvalidField"),
        ("[" * 100_000, "MalformedJson"),
        ('{"id":"a"}', "InvalidField"),
        ('{"id":"a","id":"b","type":"ack","payload":{"seq":1}}', "NotCanonical"),
        ('{"id":"","type":"ack","payload":{"seq":1}}', "InvalidField"),
        ('{"id":"a","type":"nonsense"}', "InvalidRequest"),
        ('{"id":"a","type":"auth","unknown":1}', "UnknownField"),
        ('{"id":"a","type":"auth","payload":[]}', "InvalidField"),
        ('{"id":"a","type":"auth","payload":{"token":1}}', "InvalidField"),
        ('{"id":"a","type":"auth","payload":{"token":"x","more":1}}', "UnknownField"),
        ('{"id":"a","type":"subscribe","payload":{"threads":["X"]}}', "InvalidField"),
        ('{"id":"a","type":"subscribe","payload":{"from_seq":-1}}', "NumberOutOfRange"),
        ('{"id":"a","type":"subscribe","payload":{"from_seq":1.5}}', "FloatNotAllowed"),
        ('{"id":"a","type":"subscribe","payload":{"from_seq":"1"}}', "InvalidField"),
        ('{"id":"a","type":"submit","payload":{}}', "InvalidField"),
        ('{"id":"a","type":"submit","payload":{"tx":{}}}', "InvalidField"),
        ('{"id":"a","type":"submit","payload":"tx"}', "InvalidField"),
    ],
)
async def test_malformed_messages_are_answered_by_name(shared_node: NodeProcess, text: str, name: str) -> None:
    async with connected(shared_node.url) as client:
        await client.socket.send(text)
        error = await client.expect("error")
        assert error["payload"]["name"] == name, error
        await client.nothing_more()


async def test_a_thread_that_is_not_there(shared_node: NodeProcess) -> None:
    async with connected(shared_node.url) as client:
        thread_id = digest("nowhere")[:32]
        error = await refused(client, "subscribe", {"threads": [thread_id]})
        assert error["name"] == "NotFound"


async def test_acknowledging_what_was_never_sent(world: LiveWorld) -> None:
    ann = await world.person("ann")
    thread_id = await ann.thread()
    async with world.client() as client:
        (sync,) = await client.follow(thread_id)
        error = await refused(client, "ack", {"seq": sync["seq"] + 1}, thread_id=thread_id)
        assert (error["name"], error["field"]) == ("InvalidRequest", "seq")
        await client.send("ack", {"seq": sync["seq"]}, thread_id=thread_id)
        await client.send("ack", {"seq": 1}, thread_id=digest("not followed")[:32])
        await client.nothing_more()


async def test_too_many_subscriptions(shared_node: NodeProcess) -> None:
    async with connected(shared_node.url) as client:
        threads = [digest(f"thread {n}")[:32] for n in range(1000)]
        error = await refused(client, "subscribe", {"threads": threads})
        assert error["name"] == "TooManySubscriptions"
        # Nothing of it was done.
        await client.nothing_more()


async def test_binary_frames(shared_node: NodeProcess) -> None:
    async with connected(shared_node.url) as client:
        await client.socket.send(b"\x00\x01")
        assert (await client.closed())[0] == 1003


async def test_a_text_that_is_not_utf8(shared_node: NodeProcess) -> None:
    async with connected(shared_node.url) as client:
        await client.socket.send(b"\xff\xfe", text=True)
        assert (await client.closed())[0] == 1007


async def test_a_frame_of_ten_megabytes(shared_node: NodeProcess) -> None:
    async with connected(shared_node.url) as other:
        client = Client(await open_socket(shared_node.url, "/v1/ws", compression=None))
        sending = asyncio.create_task(client.socket.send("x" * 10_000_000))
        assert (await client.closed())[0] == 1009
        await asyncio.gather(sending, return_exceptions=True)
        await other.nothing_more()


async def test_a_small_frame_that_inflates_to_ten_megabytes(shared_node: NodeProcess) -> None:
    async with connected(shared_node.url) as client:
        await client.socket.send("x" * 10_000_000)
        assert (await client.closed())[0] == 1009


async def test_a_flood_of_messages(shared_node: NodeProcess) -> None:
    async with connected(shared_node.url) as other, connected(shared_node.url) as client:
        text = json.dumps({"id": "a", "type": "ack", "payload": {"seq": 1}})

        async def flood() -> None:
            while True:
                await client.socket.send(text)
                await asyncio.sleep(0)  # sending alone would not let the answer be read

        flooding = asyncio.create_task(flood())
        code, _ = await client.closed()
        assert code == 1008
        await asyncio.gather(flooding, return_exceptions=True)
        await other.nothing_more()


@pytest.mark.parametrize(
    ("origin", "host", "is_let_in"),
    [
        (None, "127.0.0.1", True),
        (None, "evil.example", True),
        ("http://127.0.0.1:1", "127.0.0.1:1", True),
        ("http://localhost:5173", "localhost:8420", True),
        ("http://[::1]:8420", "[::1]:8420", True),
        ("https://choir.example", "choir.example", True),
        ("https://choir.example", "127.0.0.1:8420", True),
        ("https://evil.example", "127.0.0.1:8420", False),
        ("http://evil.example:8420", "evil.example:8420", False),
        ("http://localhost:8420", "127.0.0.1:8420", False),
        ("null", "127.0.0.1:8420", False),
        ("", "127.0.0.1:8420", False),
        ("http://[", "127.0.0.1:8420", False),
        ("https://choir.example.evil.example", "choir.example", False),
    ],
)
def test_pages_of_other_sites(origin: str | None, host: str, is_let_in: bool) -> None:
    origins = [] if origin is None else [origin]
    if is_let_in:
        validate_origin(origins, [host], "choir.example:8420")
        return
    with pytest.raises(Rejected, match="NotPermitted"):
        validate_origin(origins, [host], "choir.example:8420")


def test_a_request_with_two_hosts_or_origins_is_no_browsers() -> None:
    for origins, hosts in (
        (["http://localhost"], ["localhost", "evil.example"]),
        (["http://localhost", "http://evil.example"], ["localhost"]),
        (["http://localhost"], []),
    ):
        with pytest.raises(Rejected):
            validate_origin(origins, hosts, "")


async def test_a_page_of_another_site_is_refused_before_the_upgrade(shared_node: NodeProcess) -> None:
    with pytest.raises(InvalidStatus) as refusal:
        await open_socket(shared_node.url, "/v1/ws", authority="evil.example:8420", origin="http://evil.example:8420")
    assert refusal.value.response.status_code == 403
    assert b"NotPermitted" in (refusal.value.response.body or b"")
    async with connected(shared_node.url, origin=shared_node.url):
        pass


async def test_there_is_one_path(shared_node: NodeProcess) -> None:
    for path, status in (("/v1/other", 404), ("/ws", 404), ("/v1/ws/", 404)):
        with pytest.raises(InvalidStatus) as refusal:
            await open_socket(shared_node.url, path)
        assert refusal.value.response.status_code == status
    for path in ("/v1/ws", "/latest/ws", "/v1/ws?x=1"):
        await (await open_socket(shared_node.url, path)).close()
