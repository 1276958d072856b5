"""The order of what comes, per thread and for the account: nothing twice, no gap unnoticed. No I/O and no clock.

A stream keeps the ledger's number of the last event that it let through. Where the reader is slower than the node, a
stream is held: what comes is let go, and asked for again from that number once the reader has caught up. So memory is
bounded, and pings are answered however slow the reader is.
"""

from collections import deque
from collections.abc import Callable, Iterable
from typing import Final

from msgspec import Struct

from choir.client.live_frames import Batch, Incoming, Order, Refusal, decode_payload, unexpected
from choir.client.live_models import AnyUpdate, Connection, StreamEnded, decode_news, decode_sync

ACK_UPDATES: Final = 64
ACK_SECONDS: Final = 1.0
# An answer that does not come within this time is asked for once more.
ANSWER_SECONDS: Final = 30.0

# A thread's id, or None for the account.
StreamKey = str | None
Send = Callable[..., str]


class Stream(Struct):
    """``number`` None: the state is not known yet. ``is_missing``: a gap was noticed, or nothing has come so far."""

    number: int | None = None
    is_missing: bool = True
    is_held: bool = False
    unacked: int = 0
    asked_id: str | None = None
    ask_at: float | None = None


class Streams:
    """Every stream of one connection, and the updates that wait for the reader (at most ``capacity``, besides what the
    connection itself has to say).

    ``send(type, payload, thread_id)`` puts a frame into the outbox and returns its id. Times are seconds of any clock
    that only rises.
    """

    def __init__(self, send: Send, capacity: int) -> None:
        self._send = send
        self._capacity = capacity
        self._streams: dict[StreamKey, Stream] = {}
        self._updates: deque[AnyUpdate] = deque()
        self._ack_at: float | None = None
        self._has_held = False
        self.is_live = False

    # What the user wants

    def subscribe(self, key: StreamKey, from_seq: int | None, now: float) -> None:
        """Follow a thread, from its present state or from after the event ``from_seq``. Twice is once."""
        if key in self._streams:
            return
        stream = self._streams[key] = Stream(number=from_seq, is_missing=from_seq is None)
        if self.is_live:
            self._ask(key, stream, now)

    def unsubscribe(self, key: StreamKey) -> None:
        """What was received before is still told."""
        if self._streams.pop(key, None) is not None and self.is_live:
            self._send("unsubscribe", _chosen(key))

    def take(self, now: float) -> AnyUpdate | None:
        """The next update for the reader; None when there is none yet."""
        update = self._updates.popleft() if self._updates else None
        if self.is_live:
            self._release(now)
        return update

    def number(self, key: StreamKey) -> int | None:
        """The last event that was let through, to go on from with ``from_seq`` another time."""
        stream = self._streams.get(key)
        return None if stream is None else stream.number

    # The connection

    def start(self, last_seq: int, *, is_same_chain: bool, now: float) -> None:
        """The connection is live: subscribe to everything, from where it stopped. A node whose ledger ends before a
        stream's number tells another history, of which nothing is known."""
        self.is_live = True
        for key, stream in self._streams.items():
            if not is_same_chain or (stream.number or 0) > last_seq:
                stream.number = None
            if not stream.is_held:
                self._ask(key, stream, now)
        self._release(now)

    def stop(self) -> None:
        """The connection is lost."""
        self.is_live = False
        self._ack_at = None
        for stream in self._streams.values():
            stream.unacked, stream.asked_id, stream.ask_at = 0, None, None

    def tell(self, update: Connection | StreamEnded) -> None:
        """Have the reader know; of the states of the connection only the last, if none was read."""
        if isinstance(update, Connection) and self._updates and isinstance(self._updates[-1], Connection):
            self._updates.pop()
        self._updates.append(update)

    def due(self) -> Iterable[float]:
        """When `tick` has something to do."""
        if self._ack_at is not None:
            yield self._ack_at
        yield from (stream.ask_at for stream in self._streams.values() if stream.ask_at is not None)

    def tick(self, now: float) -> None:
        """Acknowledge what waits for it, and ask again for what was not answered."""
        if self._ack_at is not None and now >= self._ack_at:
            self._ack_at = None
            for key, stream in self._streams.items():
                self._ack(key, stream)
        for key, stream in self._streams.items():
            if stream.ask_at is not None and now >= stream.ask_at:
                self._ask(key, stream, now)

    # What the node says

    def receive(self, frame: Incoming, now: float) -> None:
        """A ``state_sync``, a ``batch``, or a single update."""
        if frame.type == "batch":
            self._receive_batch(frame, now)
        elif frame.type == "state_sync":
            self._receive_sync(frame, now)
        else:
            self._receive_news(frame, frame.thread_id, now)

    def refuse(self, frame: Incoming, refusal: Refusal, now: float) -> bool:
        """An error about a stream: it ends, or is asked for again when the node says so. False: it is about none."""
        key = self._key_of(frame)
        stream = self._streams.get(key)
        if stream is None or (key is None and frame.id != stream.asked_id):
            return False
        if refusal.retry_after is not None:
            stream.ask_at = now + refusal.retry_after
            return True
        del self._streams[key]
        self.tell(StreamEnded(thread_id=key, error=refusal))
        return True

    def _key_of(self, frame: Incoming) -> StreamKey:
        if frame.thread_id is not None or frame.id is None:
            return frame.thread_id
        return next((key for key, stream in self._streams.items() if stream.asked_id == frame.id), None)

    def _receive_sync(self, frame: Incoming, now: float) -> None:
        stream, seq = self._streams.get(frame.thread_id), _seq_of(frame)
        if stream is None or stream.is_held or (stream.number is not None and seq < stream.number):
            return
        self._let_through(frame.thread_id, stream, seq, decode_sync(frame, frame.thread_id, seq), now)

    def _receive_batch(self, frame: Incoming, now: float) -> None:
        updates = decode_payload(frame, Batch).updates
        for update in updates:
            self._receive_news(update, frame.thread_id, now)
        stream = self._streams.get(frame.thread_id)
        if not updates and stream is not None and not stream.is_held and frame.id == stream.asked_id:
            # The answer where nothing was missing.
            stream.is_missing, stream.ask_at = False, None

    def _receive_news(self, frame: Incoming, key: StreamKey, now: float) -> None:
        stream, seq = self._streams.get(key), _seq_of(frame)
        if stream is None or stream.is_held or stream.number is None or seq <= stream.number:
            return
        after_seq = decode_payload(frame, Order).after_seq
        if after_seq <= stream.number:
            self._let_through(key, stream, seq, decode_news(frame, key, seq), now)
        elif not stream.is_missing:
            stream.is_missing = True
            self._ask(key, stream, now)

    def _let_through(self, key: StreamKey, stream: Stream, seq: int, update: AnyUpdate | None, now: float) -> None:
        if update is not None and len(self._updates) >= self._capacity:
            stream.is_held, stream.is_missing, stream.ask_at = True, True, None
            self._has_held = True
            self._send("unsubscribe", _chosen(key))
            return
        if update is not None:
            self._updates.append(update)
        stream.number, stream.is_missing, stream.ask_at = seq, False, None
        stream.unacked += 1
        if stream.unacked >= ACK_UPDATES:
            self._ack(key, stream)
        elif self._ack_at is None:
            self._ack_at = now + ACK_SECONDS

    def _release(self, now: float) -> None:
        """Ask again for what is held, if the reader has taken half of what waits."""
        if not self._has_held or len(self._updates) > self._capacity // 2:
            return
        self._has_held = False
        for key, stream in self._streams.items():
            if stream.is_held:
                stream.is_held = False
                self._ask(key, stream, now)

    def _ask(self, key: StreamKey, stream: Stream, now: float) -> None:
        payload = _chosen(key)
        if stream.number is None:
            stream.is_missing = True
        else:
            payload["from_seq"] = stream.number
        stream.ask_at = now + ANSWER_SECONDS
        stream.asked_id = self._send("subscribe", payload)

    def _ack(self, key: StreamKey, stream: Stream) -> None:
        if stream.unacked:
            stream.unacked = 0
            self._send("ack", {"seq": stream.number}, key)


def _chosen(key: StreamKey) -> dict[str, object]:
    return {"threads": [], "account": True} if key is None else {"threads": [key]}


def _seq_of(frame: Incoming) -> int:
    if frame.seq is None:
        raise unexpected(f"a {frame.type} without its seq")
    return frame.seq
