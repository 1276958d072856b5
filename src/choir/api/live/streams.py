"""The recent events by stream: one stream per thread and one per account, held in memory and bounded."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING, NamedTuple

from choir.engine.protocol import SequencedEvent
from choir.memory.projection import parties_of

if TYPE_CHECKING:
    from choir.api.live.subscription import Subscription


class StreamKey(NamedTuple):
    """``kind`` is ``thread`` or ``account``, ``id`` the thread's id or the account's address."""

    kind: str
    id: str


class Entry(NamedTuple):
    """An event in one stream; ``after_seq`` is the stream's event before it."""

    event: SequencedEvent
    after_seq: int

    @property
    def seq(self) -> int:
        return self.event.seq


class Stream:
    """The recent events of one thread or account, and who follows them."""

    __slots__ = ("key", "last_seq", "recent", "subscriptions")

    def __init__(self, key: StreamKey, last_seq: int) -> None:
        self.key = key
        self.last_seq = last_seq
        self.recent: deque[Entry] = deque()
        self.subscriptions: set[Subscription] = set()

    def missing_after(self, seq: int) -> list[Entry] | None:
        """Every entry after event ``seq``; None when some of them are not held any more."""
        known_from = self.recent[0].after_seq if self.recent else self.last_seq
        if seq < known_from:
            return None
        return [entry for entry in self.recent if entry.event.seq > seq]


class Streams:
    """The newest ``capacity`` events of the ledger, found by stream."""

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._events: deque[tuple[StreamKey, ...]] = deque()
        self._streams: dict[StreamKey, Stream] = {}
        self.floor_seq = 0
        self.head_seq = 0

    def begin_after(self, seq: int) -> None:
        """Hold nothing up to event ``seq``."""
        self.floor_seq = self.head_seq = seq

    def append(self, event: SequencedEvent, voters: Collection[str] = ()) -> list[Stream]:
        """Take in the next event; returns the streams that it belongs to. ``voters``: see `keys_of`."""
        keys = keys_of(event, voters)
        streams = []
        for key in keys:
            stream = self.open(key)
            stream.recent.append(Entry(event, stream.last_seq))
            stream.last_seq = event.seq
            streams.append(stream)
        self._events.append(keys)
        self.head_seq = event.seq
        if len(self._events) > self._capacity:
            self._forget(self._events.popleft())
        return streams

    def open(self, key: StreamKey) -> Stream:
        """The stream of a key. One that nothing is known of may have had any event up to the oldest that is held."""
        stream = self._streams.get(key)
        if stream is None:
            stream = self._streams[key] = Stream(key, self.floor_seq)
        return stream

    def release(self, stream: Stream) -> None:
        """Forget a stream that nobody follows and nothing is held of."""
        if not stream.recent and not stream.subscriptions:
            self._streams.pop(stream.key, None)

    def _forget(self, keys: Iterable[StreamKey]) -> None:
        self.floor_seq += 1
        for key in keys:
            stream = self._streams[key]
            stream.recent.popleft()
            self.release(stream)


def keys_of(event: SequencedEvent, voters: Collection[str] = ()) -> tuple[StreamKey, ...]:
    """The streams that an event belongs to: its thread's, and those of the accounts in whose history it stands or whom
    it asks to vote. ``voters`` are those who were asked about a spec that the event settles."""
    fields = event.fields
    accounts = parties_of(fields).union(fields.get("voters", ()), voters)
    keys = [StreamKey("account", address) for address in sorted(accounts)]
    if "thread_id" in fields:
        keys.append(StreamKey("thread", fields["thread_id"]))
    return tuple(keys)
