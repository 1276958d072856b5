"""The live connection over a socket, against a small WebSocket server whose answers the test scripts."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import WSMsgType, web

from choir.client import ApiError, Client, NodeUnreachable
from choir.client.chorus_models import RunCancelled, RunStarted, Token
from choir.client.errors import UnexpectedAnswer
from choir.client.live import Live
from choir.client.live_models import Connection, NewMessage, ThreadSync
from choir.client.signing import sign_transaction
from choir.ledger.transactions import Transfer
from choir.primitives.signatures import SigningKey
from tests.client.live_node import ADDRESS, THREAD, frame, new_message, refusal, thread_sync, welcome
from tests.support.patience import PATIENCE_SECONDS

KEY = SigningKey(bytes(range(32)))
TX = sign_transaction(KEY, Transfer(to=KEY.address, amount="1"), chain_id="test", nonce=0)
RECEIPT = {"code": 0, "detail": "", "height": 1, "index": 0, "name": "Ok", "time_ms": 1, "tx_hash": "aa"}

Script = Callable[["Line"], Awaitable[None]]


class Line:
    """The server's end of one connection."""

    def __init__(self, socket: web.WebSocketResponse) -> None:
        self.socket = socket

    async def say(self, *frames: str) -> None:
        for raw in frames:
            await self.socket.send_str(raw)

    async def hear(self, kind: str) -> Any:
        """The next frame of this type."""
        while True:
            message = await self.socket.receive()
            assert message.type is WSMsgType.TEXT, message
            found = json.loads(message.data)
            if found["type"] == kind:
                return found

    async def stay(self) -> None:
        """Until the client leaves."""
        while (await self.socket.receive()).type is WSMsgType.TEXT:
            pass

    async def cut(self) -> None:
        """Without a word."""
        transport = self.socket._req.transport if self.socket._req else None
        assert transport is not None
        transport.abort()


@asynccontextmanager
async def scripted(
    *scripts: Script, token: str | None = None, renewed: str | None = None, capacity: int = 100
) -> AsyncIterator[Live]:
    """A live connection to a server that acts by one script per connection, and the last again and again. Signing in
    gives the session ``renewed``."""
    left = list(scripts)

    async def handle(request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        script = left.pop(0) if len(left) > 1 else left[0]
        await script(Line(socket))
        return socket

    app = web.Application()
    app.router.add_get("/v1/ws", handle)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0][:2]
    try:
        async with Client(f"http://{host}:{port}", retry_delays_seconds=()) as client:

            async def sign_in() -> None:
                client._transport.token = renewed

            client._transport.token = token
            can_renew = None if renewed is None else sign_in
            live = Live(client._transport, can_renew, capacity=capacity, retry_delays_seconds=(0.0,))
            async with asyncio.timeout(PATIENCE_SECONDS), live:
                yield live
    finally:
        await runner.cleanup()


async def read(live: Live, count: int) -> list[Any]:
    """The next updates, without those about the connection."""
    found: list[Any] = []
    async for update in live:
        if not isinstance(update, Connection):
            found.append(update)
        if len(found) == count:
            break
    return found


async def greet(line: Line) -> None:
    await line.say(welcome())
    await line.hear("subscribe")
    await line.say(thread_sync(10), new_message(12, 10))
    await line.stay()


async def test_a_thread_is_followed() -> None:
    async with scripted(greet) as live:
        assert live.state == "live"
        live.subscribe(THREAD)
        sync, news = await read(live, 2)
    assert isinstance(sync, ThreadSync)
    assert isinstance(news, NewMessage)
    assert news.message.text == "message 12"
    assert live.state == "closed"


async def test_after_a_loss_the_missed_ones_come() -> None:
    async def lose(line: Line) -> None:
        await line.say(welcome())
        await line.hear("subscribe")
        await line.say(thread_sync(10), new_message(12, 10))
        await line.hear("ack")
        await line.cut()

    async def go_on(line: Line) -> None:
        await line.say(welcome())
        asked = await line.hear("subscribe")
        assert asked["payload"] == {"threads": [THREAD], "from_seq": 12}
        await line.say(new_message(12, 10), new_message(13, 12))
        await line.stay()

    async with scripted(lose, go_on) as live:
        live.subscribe(THREAD)
        found = await read(live, 3)
        assert [update.seq for update in found] == [10, 12, 13]
        assert live.last_seq(THREAD) == 13


async def test_the_user_sees_how_the_connection_stands() -> None:
    async def close(line: Line) -> None:
        await line.say(welcome())
        await line.hear("subscribe")
        await line.socket.close(code=1013, message=b"too slow")

    async with scripted(close, greet) as live:
        live.subscribe(THREAD)
        states = []
        async for update in live:
            if isinstance(update, Connection):
                states.append(update)
            if isinstance(update, ThreadSync):
                break
    assert states[0].state == "live"
    assert states[-1].state == "live"
    assert all(one.reason == "the node closed the connection (1013: too slow)" for one in states[1:-1])


async def test_pings_are_answered_while_nobody_reads() -> None:
    async def ping(line: Line) -> None:
        await line.say(welcome())
        await line.hear("subscribe")
        await line.say(thread_sync(10), *(new_message(number, number - 1) for number in range(11, 60)))
        await line.say(frame("ping", {"nonce": "7"}))
        answered.set_result((await line.hear("pong"))["payload"])
        asked = await line.hear("subscribe")
        await line.say(*(new_message(n, n - 1) for n in range(asked["payload"]["from_seq"] + 1, 60)))
        await line.stay()

    answered = asyncio.get_running_loop().create_future()
    async with scripted(ping, capacity=30) as live:
        live.subscribe(THREAD)
        assert await answered == {"nonce": "7"}
        assert [update.seq for update in await read(live, 50)] == list(range(10, 60))


async def test_a_submission_is_answered_twice() -> None:
    async def admit(line: Line) -> None:
        await line.say(welcome())
        asked = await line.hear("submit")
        assert asked["payload"]["tx"]["signature"] == TX.signature
        await line.say(frame("submitted", {"tx_hash": "aa"}, id=asked["id"]))
        await may_go_on.wait()
        await line.cut()

    async def commit(line: Line) -> None:
        await line.say(welcome())
        asked = await line.hear("submit")
        await line.say(frame("submitted", {"tx_hash": "aa"}, id=asked["id"]))
        await line.say(frame("receipt", {"receipt": RECEIPT}, id=asked["id"]))
        await line.stay()

    may_go_on = asyncio.Event()
    async with scripted(admit, commit) as live:
        submission = await live.submit(TX)
        assert await submission.admitted() == "aa"
        assert not submission.is_done
        may_go_on.set()
        assert (await submission.receipt()).height == 1


async def test_refused_submissions_raise_as_over_rest() -> None:
    async def refuse(line: Line) -> None:
        await line.say(welcome())
        first = await line.hear("submit")
        await line.say(refusal("NonceMismatch", 115, frame_id=first["id"]))
        second = await line.hear("submit")
        refused = {**RECEIPT, "code": 214, "name": "InsufficientFunds"}
        await line.say(frame("submitted", {"tx_hash": "aa"}, id=second["id"]))
        error = {"code": 214, "name": "InsufficientFunds", "message": "The balance is too small for this."}
        await line.say(frame("receipt", {"receipt": refused, "error": error}, id=second["id"]))
        await line.stay()

    async with scripted(refuse) as live:
        with pytest.raises(ApiError, match="NonceMismatch") as unheld:
            await (await live.submit(TX)).receipt()
        submission = await live.submit(TX)
        assert await submission.admitted() == "aa"
        with pytest.raises(ApiError, match="InsufficientFunds") as held:
            await submission.receipt()
    assert unheld.value.receipt is None
    assert held.value.receipt is not None
    assert held.value.http_status == 409


async def test_what_waits_for_an_answer_learns_of_the_end() -> None:
    async def say_nothing(line: Line) -> None:
        await line.say(welcome())
        await line.stay()

    async with scripted(say_nothing) as live:
        submission, run = await live.submit(TX), live.chorus("why?")
    with pytest.raises(NodeUnreachable, match="closed"):
        await submission.receipt()
    with pytest.raises(NodeUnreachable, match="closed"):
        await anext(run)


STARTED = {"run_id": "r", "prompt": "why?", "thread_id": THREAD, "models": {}, "is_extractive": True}


def step(number: int, kind: str, request: str, **more: Any) -> str:
    return frame("chorus_step", {"number": number, "type": kind, "at_ms": 0, **more}, id=request)


async def test_a_run_goes_on_over_a_loss_and_can_be_cancelled() -> None:
    async def begin(line: Line) -> None:
        await line.say(welcome())
        asked = await line.hear("chorus")
        assert asked["payload"] == {"prompt": "why?", "thread_id": THREAD}
        await line.say(
            step(1, "run_started", asked["id"], **STARTED), step(2, "token", asked["id"], step="action", text="be")
        )
        await line.say(frame("ping", {"nonce": "1"}))
        await line.hear("pong")
        await line.cut()

    async def end(line: Line) -> None:
        await line.say(welcome())
        asked = await line.hear("chorus")
        assert asked["payload"]["run_id"] == "r"
        await line.say(step(3, "applause", asked["id"]), step(4, "token", asked["id"], step="action", text="cause"))
        assert (await line.hear("chorus_cancel"))["payload"] == {"run_id": "r"}
        await line.say(step(5, "run_cancelled", asked["id"]))
        await line.stay()

    async with scripted(begin, end) as live:
        run = live.chorus("why?", thread_id=THREAD)
        found = []
        async for one in run:
            found.append(type(one))
            if isinstance(one, Token) and one.text == "cause":
                assert run.run_id == "r"
                await run.cancel()
    assert found == [RunStarted, Token, Token, RunCancelled]


async def test_a_node_that_speaks_otherwise_ends_the_reading() -> None:
    async def babble(line: Line) -> None:
        await line.say(welcome())
        await line.hear("subscribe")
        await line.say("hello")
        await line.stay()

    async with scripted(babble) as live:
        live.subscribe(THREAD)
        with pytest.raises(UnexpectedAnswer, match="live protocol"):
            await read(live, 1)
        assert live.state == "closed"


async def test_a_node_that_does_not_take_the_connection_is_told_at_once() -> None:
    async def leave(line: Line) -> None:
        await line.socket.close(code=1013)

    with pytest.raises(NodeUnreachable, match="1013"):
        async with scripted(leave):
            pass


async def test_no_node_and_no_live_connection_are_told_apart(unused_tcp_port: int) -> None:
    async with Client(f"http://127.0.0.1:{unused_tcp_port}", retry_delays_seconds=()) as client:
        with pytest.raises(NodeUnreachable, match="choir up"):
            async with client.live():
                pass
    runner = web.AppRunner(web.Application())
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0][:2]
    async with Client(f"http://{host}:{port}", retry_delays_seconds=()) as client:
        with pytest.raises(UnexpectedAnswer, match="404"):
            async with client.live():
                pass
    await runner.cleanup()


async def test_a_session_that_ended_is_renewed_with_the_key() -> None:
    async def refuse(line: Line) -> None:
        await line.say(welcome())
        asked = await line.hear("auth")
        assert asked["payload"] == {"token": "old"}
        await line.say(refusal("NotSignedIn", 311, frame_id=asked["id"]))
        assert (await line.hear("auth"))["payload"] == {"token": "new"}
        await line.say(welcome(address=ADDRESS))
        await line.hear("subscribe")
        await line.say(thread_sync(10))
        await line.stay()

    async with scripted(refuse, token="old", renewed="new") as live:
        live.subscribe(THREAD)
        assert len(await read(live, 1)) == 1
        assert live.address == ADDRESS


@pytest.mark.parametrize("renewed", [None, "new"])
async def test_a_session_that_stays_refused_is_an_error(renewed: str | None) -> None:
    async def refuse(line: Line) -> None:
        await line.say(welcome())
        for _ in range(2):
            asked = await line.hear("auth")
            await line.say(refusal("NotSignedIn", 311, frame_id=asked["id"]))

    with pytest.raises(ApiError, match="NotSignedIn"):
        async with scripted(refuse, token="old", renewed=renewed):
            pass
