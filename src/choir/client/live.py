"""The live connection: a thin shell around `choir.client.live_core` that owns the socket and the waiting."""

import asyncio
import contextlib
import math
import random
import time
from collections.abc import Awaitable, Callable, Sequence
from types import TracebackType
from typing import Any, Final, Self

import aiohttp
import msgspec
from aiohttp import WSMsgType

from choir.client.errors import ApiError, NodeUnreachable, UnexpectedAnswer
from choir.client.live_core import LiveCore
from choir.client.live_frames import Outgoing, unexpected
from choir.client.live_models import AnyUpdate, ConnectionState
from choir.client.live_requests import LiveRun, Submission
from choir.client.transport import RETRY_DELAYS_SECONDS, Transport, path_to
from choir.ledger.proofs import Content
from choir.ledger.transactions import Transaction

_SUBMISSIONS_AT_ONCE: Final = 32

Socket = aiohttp.ClientWebSocketResponse[bool]
SignIn = Callable[[], Awaitable[object]]


class Live:
    """A connection that stays: it comes back after a loss, subscribes again, and fetches what was missed.

    Use it as ``async with client.live() as live`` and read it with ``async for update in live``, from one place. It
    also tells how the connection stands (``Connection``). Entering raises ``NodeUnreachable`` when no node answers;
    later losses are retried without end, after ``retry_delays_seconds`` (the last one again and again) times 0.5 … 1.5.
    Reading raises ``ApiError`` when the session has ended and there is no key to sign in with again, and
    ``UnexpectedAnswer`` when what answers does not keep to the protocol.
    """

    def __init__(
        self,
        transport: Transport,
        sign_in: SignIn | None,
        *,
        capacity: int,
        retry_delays_seconds: Sequence[float] = RETRY_DELAYS_SECONDS,
        random: Callable[[], float] = random.random,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._transport = transport
        self._sign_in = sign_in
        self._clock = clock
        self._core = LiveCore(capacity=capacity, retry_delays_seconds=retry_delays_seconds, random=random, now=clock())
        self._news = asyncio.Event()
        self._to_send = asyncio.Event()
        self._room = asyncio.Semaphore(_SUBMISSIONS_AT_ONCE)
        self._submissions: dict[str, Submission] = {}
        self._runs: list[LiveRun] = []
        self._socket: Socket | None = None
        self._hangup_reason: str | None = None
        self._wakes_at = math.inf
        self._life: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        if self._sign_in is not None and self._transport.token is None:
            await self._sign_in()
        self._socket = await self._transport.open_websocket(path_to("ws"))
        self._life = asyncio.create_task(self._live(self._socket), name="choir-live")
        try:
            while self._core.state == "connecting" and not self._life.done():
                await self._wait_for_news()
            if self._life.done():
                await self._life  # raises why
            if self._core.state == "reconnecting":
                raise NodeUnreachable(f"{self._transport.base_url}: {self._core.last_reason}: try again")
        except BaseException:
            await self._close()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._close()

    @property
    def state(self) -> ConnectionState:
        """connecting, live, reconnecting or closed."""
        return self._core.state

    @property
    def address(self) -> str | None:
        """The account that the connection speaks for; None while signed out."""
        return self._core.address

    # Following

    def subscribe(self, *thread_ids: str, from_seq: int | None = None) -> None:
        """Follow threads: first comes each one's ``ThreadSync``, then its news. With ``from_seq`` (see `last_seq`) what
        happened after that event, or a ``ThreadSync`` if that is too long ago. A thread that cannot be followed gives
        ``StreamEnded``."""
        for thread_id in thread_ids:
            self._core.streams.subscribe(thread_id, from_seq, self._clock())
        self._to_send.set()

    def subscribe_account(self, *, from_seq: int | None = None) -> None:
        """Follow the signed-in account: its ``AccountSync``, then its news."""
        self._core.streams.subscribe(None, from_seq, self._clock())
        self._to_send.set()

    def unsubscribe(self, *thread_ids: str | None) -> None:
        """Follow threads (None: the account) no longer."""
        for thread_id in thread_ids:
            self._core.streams.unsubscribe(thread_id)
        self._to_send.set()

    def last_seq(self, thread_id: str | None) -> int | None:
        """The last event of a followed thread (None: of the account), for ``from_seq`` another time."""
        return self._core.streams.number(thread_id)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> AnyUpdate:
        while True:
            update = self._core.streams.take(self._clock())
            if self._core.outbox:
                self._to_send.set()
            if update is not None:
                return update
            if self._life is None or self._life.done():
                break
            await self._wait_for_news()
        if self._life is not None and not self._life.cancelled():
            await self._life  # raises why it ended
        raise StopAsyncIteration

    # Asking

    async def submit(self, tx: Transaction, content: Content | None = None) -> Submission:
        """Bring a signed transaction with its content. It is brought again after a loss, which is safe: it takes effect
        once. Waits while 32 others are on their way."""
        await self._room.acquire()
        body: dict[str, Any] = {"tx": tx}
        if content is not None:
            body["content"] = {"salt": content.salt, "text": content.text}
        submission = Submission()
        self._submissions[self._core.submit(body)] = submission
        self._to_send.set()
        return submission

    def chorus(self, prompt: str, *, thread_id: str | None = None) -> LiveRun:
        """Ask the chorus; ``async for event in live.chorus(…)`` gives its events and tokens as they come."""
        question = {"prompt": prompt} | ({} if thread_id is None else {"thread_id": thread_id})
        return self._run(question)

    def watch_run(self, run_id: str, *, after: int = 0) -> LiveRun:
        """The events of a run that was begun elsewhere, from after the given one."""
        return self._run({"run_id": run_id, "after": after})

    def _run(self, question: dict[str, Any]) -> LiveRun:
        self._runs = [run for run in self._runs if not run.is_done]
        run = LiveRun(self._core, self._to_send.set, question)
        self._runs.append(run)
        self._to_send.set()
        return run

    # Living

    async def _live(self, socket: Socket | None) -> None:
        reason = ""
        try:
            while True:
                if socket is not None:
                    reason = await self._serve(socket)
                delay_seconds = self._core.disconnected(reason, self._clock())
                self._announce()
                await asyncio.sleep(delay_seconds)
                try:
                    socket = self._socket = await self._transport.open_websocket(path_to("ws"))
                except UnexpectedAnswer:
                    raise
                except NodeUnreachable as error:
                    socket, reason = None, str(error)
        except (ApiError, UnexpectedAnswer) as error:
            self._end(error)
            raise
        finally:
            self._end(NodeUnreachable("the live connection was closed"))

    async def _serve(self, socket: Socket) -> str:
        """Carry frames until the connection ends; returns why it did."""
        self._hangup_reason = None
        self._core.connected(self._transport.token, self._clock())
        writer = asyncio.create_task(self._write(socket), name="choir-live-writer")
        try:
            return await self._read(socket)
        finally:
            writer.cancel()
            (outcome,) = await asyncio.gather(writer, return_exceptions=True)
            await socket.close()
            if isinstance(outcome, Exception):
                raise outcome

    async def _read(self, socket: Socket) -> str:
        may_renew = self._sign_in is not None
        while True:
            message = await socket.receive()
            if message.type is WSMsgType.TEXT:
                try:
                    self._core.received(message.data, self._clock())
                except ApiError:
                    if not may_renew:
                        raise
                    may_renew = False
                    await self._renew_session()
                self._announce()
            elif message.type is WSMsgType.ERROR:
                return self._hangup_reason or f"the connection broke ({message.data})"
            elif message.type is WSMsgType.BINARY:
                raise unexpected("a binary frame")
            else:
                return self._hangup_reason or _describe_close(socket, message.extra)

    async def _write(self, socket: Socket) -> None:
        """Send what is due. When it ends, so does the reading."""
        try:
            # Of a broken connection the reading side learns too, and why.
            with contextlib.suppress(ConnectionError, aiohttp.ClientError):
                await self._send_frames(socket)
        finally:
            await socket.close()

    async def _send_frames(self, socket: Socket) -> None:
        while True:
            self._to_send.clear()
            self._hangup_reason = self._core.tick(self._clock())
            if self._hangup_reason is not None:
                return
            while self._core.outbox:
                await socket.send_str(_encode(self._core.outbox.popleft()))
            self._wakes_at = self._core.wakes_at()
            # Not `wait_for`: in Python 3.11 it loses a cancellation that comes together with the event.
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(max(0.0, self._wakes_at - self._clock())):
                    await self._to_send.wait()

    async def _renew_session(self) -> None:
        """The session has ended, but there is the key."""
        if self._sign_in is not None:
            await self._sign_in()
        self._core.authenticate(self._transport.token)

    def _announce(self) -> None:
        """Hand out answers, and wake whoever waits."""
        while self._core.answers:
            request_id, frame = msgspec.structs.astuple(self._core.answers.popleft())
            submission = self._submissions.get(request_id)
            if submission is not None and frame is not None:
                submission.answer(frame)
                if submission.is_done:
                    del self._submissions[request_id]
                    self._room.release()
            for run in self._runs:
                if run.request_id == request_id:
                    run.answer(frame)
        if self._core.outbox or self._core.wakes_at() < self._wakes_at:
            self._to_send.set()
        self._news.set()
        self._news = asyncio.Event()

    async def _wait_for_news(self) -> None:
        await self._news.wait()

    async def _close(self) -> None:
        if self._life is not None:
            self._life.cancel()
            await asyncio.gather(self._life, return_exceptions=True)
        if self._socket is not None:
            await self._socket.close()

    def _end(self, error: Exception) -> None:
        """Nothing more will come: whoever waits for an answer learns it, once."""
        if self._core.state != "closed":
            self._core.closed(str(error))
            unanswered: list[Submission | LiveRun] = [*self._submissions.values(), *self._runs]
            for one in unanswered:
                if not one.is_done:
                    one.fail(error)
        self._announce()


def _encode(frame: Outgoing) -> str:
    document: dict[str, Any] = {
        "id": frame.id,
        "type": frame.type,
        "payload": frame.payload,
        "timestamp": time.time_ns() // 1_000_000,
    }
    if frame.thread_id is not None:
        document["thread_id"] = frame.thread_id
    return msgspec.json.encode(document).decode()


def _describe_close(socket: Socket, reason: Any) -> str:
    code = socket.close_code
    if code is None or code == aiohttp.WSCloseCode.ABNORMAL_CLOSURE:
        return "the connection broke"
    said = f": {reason}" if reason else ""
    return f"the node closed the connection ({int(code)}{said})"
