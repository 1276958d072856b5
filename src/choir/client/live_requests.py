"""What is asked over the live connection and answered more than once: a submission, and the run of a chorus."""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Any, Final, Self, get_args

from msgspec import Struct

from choir.client.chorus_models import AnyRunEvent
from choir.client.errors import NodeUnreachable
from choir.client.live_core import LiveCore
from choir.client.live_frames import Committed, Incoming, Refusal, Submitted, decode_payload
from choir.ledger.blocks import Receipt

_EVENTS_WAITING: Final = 4096
_KNOWN_TYPES: Final = frozenset(str(kind.__struct_config__.tag) for kind in get_args(AnyRunEvent))
_AnyRunEvent: Final[Any] = AnyRunEvent  # a union is a type to msgspec, but not to `type[T]`


class _Place(Struct, frozen=True):
    number: int
    type: str
    run_id: str | None = None


class Submission:
    """A transaction on its way. Both answers raise ``ApiError`` when it is refused, and ``NodeUnreachable`` when the
    live connection was closed before they came."""

    def __init__(self) -> None:
        loop = asyncio.get_running_loop()
        self._tx_hash: asyncio.Future[str] = loop.create_future()
        self._receipt: asyncio.Future[Receipt] = loop.create_future()

    async def admitted(self) -> str:
        """The transaction's hash, once the node has admitted it: time to show it as on its way."""
        return await asyncio.shield(self._tx_hash)

    async def receipt(self) -> Receipt:
        """Its receipt, once a block holds it. A refusal that a block holds raises ``ApiError`` with the receipt."""
        return await asyncio.shield(self._receipt)

    @property
    def is_done(self) -> bool:
        return self._receipt.done()

    def answer(self, frame: Incoming) -> None:
        if frame.type == "error":
            self.fail(decode_payload(frame, Refusal).as_error())
        elif frame.type == "submitted":
            _settle(self._tx_hash, decode_payload(frame, Submitted).tx_hash)
        elif frame.type == "receipt":
            self._close(decode_payload(frame, Committed))

    def fail(self, error: Exception) -> None:
        for future in (self._tx_hash, self._receipt):
            if not future.done():
                future.set_exception(error)
                future.exception()  # whoever does not wait for it does not want to know

    def _close(self, committed: Committed) -> None:
        _settle(self._tx_hash, committed.receipt.tx_hash)
        if committed.error is None:
            _settle(self._receipt, committed.receipt)
        else:
            self.fail(committed.error.as_error(committed.receipt))


class LiveRun:
    """A chorus run, used as ``async for event in run``. It goes on over a broken connection, after the last event that
    came; ``cancel`` ends it at the node."""

    def __init__(self, core: LiveCore, changed: Callable[[], None], question: dict[str, Any]) -> None:
        self.run_id: str | None = question.get("run_id")
        self._core = core
        self._changed = changed
        self._number = question.get("after", 0)
        self._events: deque[AnyRunEvent] = deque()
        self._has_lost = self._has_ended = False
        self._error: Exception | None = None
        self._news = asyncio.Event()
        self.request_id = core.chorus(question)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> AnyRunEvent:
        while not self._events:
            if self._error is not None:
                raise self._error
            if self._has_ended:
                raise StopAsyncIteration
            self._news.clear()
            await self._news.wait()
        event = self._events.popleft()
        if self._has_lost and not self._events:
            self._watch_again()
        return event

    async def cancel(self) -> None:
        """Ask the node to end the run; its last event says so. Raises ``NodeUnreachable`` without a connection."""
        if self.run_id is None or not self._core.cancel_run(self.run_id):
            raise NodeUnreachable("the run cannot be cancelled now: wait until the connection is live again")
        self._changed()

    def answer(self, frame: Incoming | None) -> None:
        if frame is None:
            self.fail(NodeUnreachable("the connection broke before the run began: ask again"))
        elif frame.type == "error":
            self.fail(decode_payload(frame, Refusal).as_error())
        else:
            self._take(frame)

    def fail(self, error: Exception) -> None:
        self._error = self._error or error
        self._news.set()

    @property
    def is_done(self) -> bool:
        return self._has_ended or self._error is not None

    def _take(self, frame: Incoming) -> None:
        place = decode_payload(frame, _Place)
        self.run_id = self.run_id or place.run_id
        if place.number <= self._number or self._has_lost:
            return
        if len(self._events) >= _EVENTS_WAITING:
            self._has_lost = True
            return
        self._number = place.number
        if place.type not in _KNOWN_TYPES:
            return  # of a newer node
        event: AnyRunEvent = decode_payload(frame, _AnyRunEvent)
        self._has_ended = event.is_ending
        self._events.append(event)
        self._news.set()

    def _watch_again(self) -> None:
        """The reader was too slow, and events were let go: have them sent again."""
        self._has_lost = False
        self._core.forget(self.request_id)
        self.request_id = self._core.chorus({"run_id": self.run_id, "after": self._number})
        self._changed()


def _settle(future: "asyncio.Future[Any]", value: object) -> None:
    if not future.done():
        future.set_result(value)
