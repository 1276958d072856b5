"""One client: what it asked, what it follows, and how it catches up when it is behind."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Coroutine
from functools import partial
from typing import TYPE_CHECKING, Any, Final, Protocol

import structlog

from choir.api.answers import error_body
from choir.api.bodies import LARGE_BYTES
from choir.api.errors import as_refusal
from choir.api.live.catch_up import catch_up
from choir.api.live.frames import CloseCode, Frame
from choir.api.live.metrics import ERRORS
from choir.api.live.protocol import Envelope, make_message, read_envelope
from choir.api.live.requests import IMMEDIATE, handle, handle_at_once
from choir.api.live.streams import StreamKey
from choir.api.live.subscription import Subscription
from choir.api.sessions import OpenSession
from choir.engine.protocol import EngineError
from choir.ledger.errors import Code, Rejected
from choir.memory.memory import SearchUnavailable
from choir.memory.search import QueryError

if TYPE_CHECKING:
    from choir.api.live.hub import LiveHub

_INBOX_MESSAGES: Final = 64
_INBOX_BYTES: Final = 256 << 10

_log = structlog.get_logger("choir.live")


class Socket(Protocol):
    """What a connection needs of its socket."""

    paused_at: float | None
    """Since when more waits to be sent than should (monotonic seconds); None while it does not."""

    def write(self, frame: Frame) -> None:
        """Send a frame, or have it wait until the client reads."""

    async def writable(self) -> None:
        """Wait until little waits to be sent."""

    def pause_reading(self) -> None:
        """Let what the client sends wait in the network."""

    def resume_reading(self) -> None: ...

    def close(self, code: CloseCode, reason: str) -> None: ...


class Connection:
    """Everything about one client but its bytes. `receive` is given each text, `lost` is called once at the end."""

    def __init__(self, hub: LiveHub, socket: Socket) -> None:
        self.hub = hub
        self.services = hub.services
        self.socket = socket
        self.session: OpenSession | None = None
        self.viewer: str | None = None
        self.subscriptions: dict[StreamKey, Subscription] = {}
        self.is_closed = False
        self._last_ping_at = time.monotonic()
        self._awaited_pong: str | None = None
        self._inbox: deque[tuple[Envelope | Rejected | bytes, int]] = deque()
        self._inbox_bytes = 0
        self._behind: dict[StreamKey, Subscription] = {}
        self._worker: asyncio.Task[None] | None = None
        self._submissions: set[asyncio.Task[None]] = set()
        self._runs: set[asyncio.Task[None]] = set()
        self._allowance = float(hub.limits.burst_messages)
        self._allowance_at = time.monotonic()
        # Looked up once: every delivery goes through here.
        self.write = socket.write

    # What comes in

    def receive(self, text: bytes) -> None:
        """Take a message in: at once when it is a matter of a moment, else in its turn."""
        if self.is_closed or not self._use_allowance():
            return
        item: Envelope | Rejected | bytes = text
        if len(text) <= LARGE_BYTES:
            item = _read(text)
            if isinstance(item, Envelope) and item.type in IMMEDIATE:
                handle_at_once(self, item)
                return
        self._inbox.append((item, len(text)))
        self._inbox_bytes += len(text)
        if len(self._inbox) >= _INBOX_MESSAGES or self._inbox_bytes >= _INBOX_BYTES:
            self.socket.pause_reading()
        self._wake()

    def _use_allowance(self) -> bool:
        now, limits = time.monotonic(), self.hub.limits
        refilled = self._allowance + (now - self._allowance_at) * limits.messages_per_second
        self._allowance, self._allowance_at = min(refilled, limits.burst_messages) - 1, now
        if self._allowance >= 0:
            return True
        self.send_error(Rejected(Code.TooManyRequests, f"The limit is {limits.messages_per_second} messages a second."))
        self.close(CloseCode.TOO_MANY_MESSAGES, "too many messages")
        return False

    async def _work(self) -> None:
        try:
            while self._inbox or self._behind:
                await self.socket.writable()
                if self._inbox:
                    await self._answer_next()
                if self._behind:
                    await catch_up(self, next(iter(self._behind.values())))
        except Exception as error:
            self._failed(error)
        finally:
            self._worker = None

    async def _answer_next(self) -> None:
        item, size_bytes = self._inbox.popleft()
        self._inbox_bytes -= size_bytes
        if not self._inbox:
            self.socket.resume_reading()
        if isinstance(item, bytes):
            item = await asyncio.to_thread(_read, item)
        if isinstance(item, Rejected):
            self.send_error(item)
            return
        if not await self.is_entitled():
            return
        try:
            await handle(self, item)
        except Rejected as refusal:
            self.send_error(refusal, item.id)
        except (EngineError, SearchUnavailable, QueryError) as error:
            self.send_error(as_refusal(error), item.id)

    def _wake(self) -> None:
        if self._worker is None and not self.is_closed:
            self._worker = asyncio.create_task(self._work())

    async def room_for_submission(self) -> None:
        """Wait until few submissions await their receipts."""
        while len(self._submissions) >= self.hub.limits.submissions:
            await asyncio.wait(self._submissions, return_when=asyncio.FIRST_COMPLETED)

    def start_submission(self, rest: Coroutine[Any, Any, None]) -> None:
        """Have the receipt of a submission awaited beside the connection's other work."""
        self._start(rest, self._submissions)

    @property
    def runs_watched(self) -> int:
        return len(self._runs)

    def start_run(self, watching: Coroutine[Any, Any, None]) -> None:
        """Have a run of the chorus watched beside the connection's other work."""
        self._start(watching, self._runs)

    def _start(self, work: Coroutine[Any, Any, None], among: set[asyncio.Task[None]]) -> None:
        task = asyncio.create_task(work)
        among.add(task)
        task.add_done_callback(partial(self._ended, among))

    def _ended(self, among: set[asyncio.Task[None]], task: asyncio.Task[None]) -> None:
        among.discard(task)
        error = None if task.cancelled() else task.exception()
        if error is not None:
            self._failed(error)

    def _failed(self, error: BaseException) -> None:
        """A fault of ours: the log says which, the client connects again."""
        _log.error("unexpected error on a connection", exc_info=error)
        self.close(CloseCode.NODE_FAILED, "the node failed")

    # What goes out

    def send(
        self,
        type_name: str,
        payload: Any,
        message_id: str | None = None,
        *,
        thread_id: str | None = None,
        seq: int | None = None,
    ) -> None:
        """A message to this client alone."""
        if self.is_closed:
            return
        now_ms = self.services.clock_ms()
        self.write(
            make_message(message_id or self.hub.next_id(), type_name, payload, now_ms, thread_id=thread_id, seq=seq)
        )

    def send_error(self, refusal: Rejected, message_id: str | None = None, thread_id: str | None = None) -> None:
        ERRORS.labels(refusal.code.name).inc()
        self.send("error", error_body(refusal), message_id, thread_id=thread_id)

    def can_be_told(self, now_ms: int, are_sessions_known: bool) -> bool:
        """Whether an update may be written now: the client reads, and its session lasts."""
        if self.socket.paused_at is not None:
            return False
        return self.session is None or (are_sessions_known and now_ms < self.session.expires_at_ms)

    def fall_behind(self, subscription: Subscription) -> None:
        """Stop telling a stream as it happens; the connection catches up when it can."""
        subscription.is_live = False
        self._behind[subscription.stream.key] = subscription
        self._wake()

    def acknowledged(self, subscription: Subscription) -> None:
        """Go on with a stream that waited for its client."""
        if self.hub.held.pop(subscription, None) is not None:
            self.fall_behind(subscription)

    def end_stream(self, subscription: Subscription, reason: Rejected) -> None:
        """Tell the client why, and send nothing more of the stream."""
        key = subscription.stream.key
        self.send_error(reason, subscription.request_id, key.id if key.kind == "thread" else None)
        self.forget(subscription)

    def fail_stream(self, subscription: Subscription) -> None:
        """A fault of ours in a stream's updates. An error can name a thread; other streams end with the connection."""
        if subscription.stream.key.kind == "thread":
            self.end_stream(subscription, Rejected(Code.InternalError))
        else:
            self.close(CloseCode.NODE_FAILED, "the node failed")

    def forget(self, subscription: Subscription) -> None:
        """Follow a stream no longer."""
        self._behind.pop(subscription.stream.key, None)
        self.hub.unsubscribe(subscription)

    def is_following(self, subscription: Subscription) -> bool:
        return not self.is_closed and self.subscriptions.get(subscription.stream.key) is subscription

    def caught_up(self, subscription: Subscription) -> None:
        """From here on a stream is told as it happens."""
        self._behind.pop(subscription.stream.key, None)
        subscription.is_live = True

    def hold(self, subscription: Subscription) -> None:
        """Send nothing more of a stream until the client acknowledges."""
        self._behind.pop(subscription.stream.key, None)
        self.hub.hold(subscription)

    # Life

    async def is_entitled(self) -> bool:
        """Whether the client may go on: its session, if it has one, lasts. Closes the connection where it does not."""
        if self.session is not None:
            await self.hub.check_sessions()
            if self.is_session_over(self.services.clock_ms()):
                self.end_session()
        return not self.is_closed

    def sign_in(self, session: OpenSession) -> None:
        self.session, self.viewer = session, session.address

    def is_session_over(self, now_ms: int) -> bool:
        return self.session is not None and now_ms >= self.session.expires_at_ms

    def end_session(self) -> None:
        """The session was ended or has expired: nothing more is told to this client."""
        if not self.is_closed:
            self.send_error(Rejected(Code.NotSignedIn, "The session has ended."))
            self.close(CloseCode.SESSION_ENDED, "the session has ended")

    def is_slow(self, since: float) -> bool:
        """Whether the client has not read enough since then (monotonic seconds)."""
        return self.socket.paused_at is not None and self.socket.paused_at <= since

    def is_silent(self, since: float) -> bool:
        """Whether a ping that was sent before then is not answered."""
        return self._awaited_pong is not None and self._last_ping_at <= since

    def is_quiet(self, since: float) -> bool:
        """Whether the last ping was sent before then, and answered."""
        return self._awaited_pong is None and self._last_ping_at <= since

    def ping(self, frame: Frame, nonce: str, now: float) -> None:
        self._last_ping_at = now
        self._awaited_pong = nonce
        self.write(frame)

    def pong(self, nonce: str) -> None:
        if nonce == self._awaited_pong:
            self._awaited_pong = None

    def close(self, code: CloseCode, reason: str) -> None:
        """Close from our side."""
        if not self.is_closed:
            self.socket.close(code, reason)
            self.lost()

    def lost(self) -> None:
        """The connection is over, from whichever side."""
        if self.is_closed:
            return
        self.is_closed = True
        self.hub.leave(self)
        self._inbox.clear()
        self._behind.clear()
        current = asyncio.current_task()
        for task in (self._worker, *self._submissions, *self._runs):
            if task is not None and task is not current:
                task.cancel()


def _read(text: bytes) -> Envelope | Rejected:
    try:
        return read_envelope(text)
    except Rejected as refusal:
        return refusal
