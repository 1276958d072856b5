"""Follows the ledger and tells each event to those who follow its streams."""

import asyncio
import time
from collections.abc import Sequence
from functools import partial
from itertools import count
from typing import TYPE_CHECKING, Final

import structlog

from choir.api.live.frames import CloseCode
from choir.api.live.heartbeat import Heartbeat
from choir.api.live.limits import Limits
from choir.api.live.metrics import CONNECTIONS, DELIVERIES, SECONDS, SUBSCRIPTIONS
from choir.api.live.streams import Entry, Stream, StreamKey, Streams
from choir.api.live.subscription import Subscription
from choir.api.live.updates import Delivery, build_delivery, look_again
from choir.api.services import Services
from choir.engine.protocol import SequencedEvent

if TYPE_CHECKING:
    from choir.api.live.connection import Connection

# After so many writes they go out, and other work gets its turn: the first clients need not wait for the last.
_WRITES_AT_ONCE: Final = 100

_log = structlog.get_logger("choir.live")


class LiveHub:
    """All connections of a node. Make it, `start` it, hand connections to `join`, and `close` it."""

    def __init__(self, services: Services, domain: str, limits: Limits | None = None) -> None:
        """``domain``: the name that people reach the node by, empty when there is none."""
        self.services = services
        self.domain = domain
        self.limits = limits or Limits()
        self.streams = Streams(self.limits.recent_events)
        self.connections: set[Connection] = set()
        # Subscriptions that wait for an acknowledgement, and since when (monotonic seconds).
        self.held: dict[Subscription, float] = {}
        self.is_running = False
        self._message_numbers = count(1)
        self._tasks: list[asyncio.Task[None]] = []
        self._seen_endings = services.access.sessions.endings
        self._session_check: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Fill the recent events from the ledger, then follow it."""
        engine = self.services.engine
        head_seq = engine.last_seq
        await self.services.follower.applied(head_seq)
        self.streams.begin_after(max(engine.first_seq, head_seq - self.limits.recent_events))
        if self.streams.head_seq < head_seq:
            async for batch in engine.events(self.streams.head_seq):
                voters = await self._find_voters(batch)
                for event in batch:
                    self.streams.append(event, voters.get(event.seq, ()))
                if self.streams.head_seq >= head_seq:
                    break
        self.is_running = True
        self._tasks = [
            asyncio.create_task(self._follow(), name="choir-live"),
            asyncio.create_task(Heartbeat(self).run(), name="choir-live-heartbeat"),
        ]

    async def close(self) -> None:
        """Stop following. The connections are closed by the server that holds them."""
        self.is_running = False
        tasks = [*self._tasks, *([self._session_check] if self._session_check else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    # Connections

    def join(self, connection: "Connection") -> None:
        self.connections.add(connection)
        CONNECTIONS.set(len(self.connections))

    def leave(self, connection: "Connection") -> None:
        """Forget a connection and all that it followed."""
        self.connections.discard(connection)
        CONNECTIONS.set(len(self.connections))
        for subscription in list(connection.subscriptions.values()):
            self.unsubscribe(subscription)

    def next_id(self) -> str:
        """An id for a message of the node's own that tells no event."""
        return f"n{next(self._message_numbers)}"

    def subscribe(
        self, connection: "Connection", key: StreamKey, sent_seq: int | None, request_id: str
    ) -> Subscription:
        stream = self.streams.open(key)
        subscription = Subscription(connection, stream, sent_seq, request_id)
        stream.subscriptions.add(subscription)
        connection.subscriptions[key] = subscription
        SUBSCRIPTIONS.inc()
        return subscription

    def unsubscribe(self, subscription: Subscription) -> None:
        stream, connection = subscription.stream, subscription.connection
        if subscription in stream.subscriptions:
            stream.subscriptions.discard(subscription)
            subscription.is_live = False
            SUBSCRIPTIONS.dec()
        self.held.pop(subscription, None)
        self.streams.release(stream)
        if connection.subscriptions.get(stream.key) is subscription:
            del connection.subscriptions[stream.key]

    def hold(self, subscription: Subscription) -> None:
        """Send nothing more of a stream until its client acknowledges."""
        subscription.is_live = False
        self.held.setdefault(subscription, time.monotonic())

    # Sessions

    @property
    def must_check_sessions(self) -> bool:
        """Whether a session was ended since the connections' own were last looked at."""
        return self._seen_endings != self.services.access.sessions.endings

    async def check_sessions(self) -> None:
        """Close the connections whose sessions have ended, if any session has."""
        while self.must_check_sessions:
            if self._session_check is None or self._session_check.done():
                self._session_check = asyncio.create_task(self._look_at_sessions(), name="choir-live-sessions")
            await asyncio.shield(self._session_check)

    async def _look_at_sessions(self) -> None:
        sessions = self.services.access.sessions
        endings = sessions.endings
        signed_in = [(c, c.session.token_hash) for c in self.connections if c.session is not None]
        hashes = {token_hash for _, token_hash in signed_in}
        ended = await self.services.access.run(partial(sessions.find_ended, hashes))
        for connection, token_hash in signed_in:
            if token_hash in ended:
                connection.end_session()
        self._seen_endings = endings

    # Delivery

    async def _follow(self) -> None:
        try:
            async for batch in self.services.engine.events(self.streams.head_seq):
                # What is told can be read: nobody is sent to a thread that does not show the message yet.
                await self.services.follower.applied(batch[-1].seq)
                await self._tell(batch)
        except Exception:
            _log.exception("the connections are no longer told what happens")
            self.is_running = False
            for connection in list(self.connections):
                connection.close(CloseCode.NODE_FAILED, "the node no longer follows its ledger")
            raise

    async def _tell(self, batch: Sequence[SequencedEvent]) -> None:
        entries: dict[Stream, list[Entry]] = {}
        voters = await self._find_voters(batch)
        for event in batch:
            for stream in self.streams.append(event, voters.get(event.seq, ())):
                if stream.subscriptions:
                    entries.setdefault(stream, []).append(stream.recent[-1])
        for stream, news in entries.items():
            try:
                await self._tell_stream(stream, news)
            except Exception:
                _log.exception("updates of a stream could not be made", kind=stream.key.kind)
                for subscription in list(stream.subscriptions):
                    subscription.connection.fail_stream(subscription)

    async def _find_voters(self, batch: Sequence[SequencedEvent]) -> dict[int, tuple[str, ...]]:
        """By the number of an event that settles a spec: whom the spec had asked."""
        settled = {event.fields["spec_id"]: event.seq for event in batch if event.fields["type"] == "spec_settled"}
        if not settled:
            return {}
        records = await asyncio.to_thread(self.services.records.by_hashes, list(settled))
        return {settled[spec_id]: r.spec.voters for spec_id, r in records.items() if r.spec is not None}

    async def _tell_stream(self, stream: Stream, news: Sequence[Entry]) -> None:
        attempts = 0
        while news:
            followers = [s for s in stream.subscriptions if s.is_live]
            if not followers:
                return
            viewers = {follower.connection.viewer for follower in followers}
            delivery = await build_delivery(self.services, stream.key, news, viewers)
            if await self._fan_out(followers, delivery):
                news, attempts = news[len(delivery.entries) :], 0
            else:
                attempts += 1
                await look_again(self.services, attempts)

    async def _fan_out(self, followers: Sequence[Subscription], delivery: Delivery) -> bool:
        """Write to every follower; False when a message was hidden meanwhile, so that it must be looked at again."""
        for start in range(0, len(followers), _WRITES_AT_ONCE):
            if start:
                await asyncio.sleep(0)
            with self.services.engine.read() as state:
                if not delivery.is_current(state):
                    return False
            self._write(followers[start : start + _WRITES_AT_ONCE], delivery)
        now_ms = self.services.clock_ms()
        for entry in delivery.entries:
            SECONDS.observe(max(0, now_ms - entry.event.time_ms) / 1000)
        return True

    def _write(self, followers: Sequence[Subscription], delivery: Delivery) -> None:
        first_seq, last_seq, updates = delivery.entries[0].after_seq, delivery.entries[-1].seq, len(delivery.entries)
        are_sessions_known, now_ms = not self.must_check_sessions, self.services.clock_ms()
        written = 0
        for follower in followers:
            connection = follower.connection
            if not follower.is_live or follower.sent_seq is None or follower.sent_seq >= last_seq:
                continue
            frame = delivery.frames.get(connection.viewer)
            if (
                frame is None
                or follower.sent_seq < first_seq
                or not connection.can_be_told(now_ms, are_sessions_known)
                or follower.unacknowledged >= self.limits.unacknowledged_updates
                or follower.loses_right(delivery.may_read)
            ):
                connection.fall_behind(follower)
                continue
            connection.write(frame)
            follower.count_sent(last_seq, updates)
            written += 1
        DELIVERIES.labels(delivery.entries[0].event.fields["type"]).inc(written * updates)
