"""Clients of the simulated node: the real core over a network that cuts, loses, doubles and reorders."""

import asyncio
import json
from collections import deque
from collections.abc import Iterator
from random import Random
from typing import Any

import msgspec

from choir.api.live.connection import Connection as ServerConnection
from choir.api.live.frames import Frame
from choir.api.live.streams import StreamKey as ServerKey
from choir.api.live.streams import keys_of
from choir.api.live.welcome import welcome
from choir.client import ApiError
from choir.client.live_core import LiveCore
from choir.client.live_models import AnyUpdate, Connection, NewMessage, News, StreamEnded, ThreadSync, ThreadUpdate
from choir.client.live_streams import StreamKey
from choir.primitives.signatures import SigningKey
from tests.simulation.world import LIMITS, World


class Violation(AssertionError):
    """Something happened that must never happen."""


class Line:
    """The server's end of one connection (`choir.api.live.connection.Socket`), and what is under way in it."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._loop = asyncio.get_running_loop()
        self._drained = asyncio.Event()
        self.frames: deque[str] = deque()
        self.waiting_bytes = 0
        self.is_closed = False
        self.paused_at: float | None = None
        self.connection: ServerConnection
        self.token: str | None = None

    def write(self, frame: Frame) -> None:
        text = _text_of(frame.plain)
        self._check(json.loads(text))
        self.frames.append(text)
        self.waiting_bytes += len(text)
        if self.waiting_bytes > LIMITS.waiting_bytes and self.paused_at is None:
            self.paused_at = self._loop.time()
            self._drained.clear()

    async def writable(self) -> None:
        if self.paused_at is not None:
            await self._drained.wait()

    def read(self) -> str:
        text = self.frames.popleft()
        self.waiting_bytes -= len(text)
        if self.paused_at is not None and self.waiting_bytes < LIMITS.waiting_bytes // 4:
            self.paused_at = None
            self._drained.set()
        return text

    def pause_reading(self) -> None:
        pass

    def resume_reading(self) -> None:
        pass

    def close(self, code: int, reason: str) -> None:
        self.is_closed = True

    def _check(self, document: Any) -> None:
        """No delivery without right. What is found is kept: raised here, the node would take it for a fault of its
        own."""
        if "seq" in document and self.token in self._world.ended_tokens:
            self._world.violations.append(f"told after the session had ended: {document['type']}")
        for content_hash, text in _texts_in(document):
            if not self._world.may_read(self.connection.viewer, content_hash):
                kind, who = document["type"], self.connection.viewer
                self._world.violations.append(f"{who} was shown {content_hash} ({text[:12]}) in {kind}")
            if self._world.texts[content_hash] != text:
                self._world.violations.append(f"{content_hash} was shown with another text")


class Person:
    """One client. ``eagerness`` is how likely it reads at each look, ``trouble`` how bad its network is, both 0 … 1."""

    def __init__(
        self,
        world: World,
        random: Random,
        key: SigningKey | None,
        threads: list[str],
        *,
        eagerness: float,
        trouble: float,
    ) -> None:
        self.world, self.random, self.key = world, random, key
        self.threads = threads
        self.eagerness, self.trouble = eagerness, trouble
        self.loop = asyncio.get_running_loop()
        capacity = random.choice((4, 16, 1000))
        self.core = LiveCore(
            capacity=capacity, retry_delays_seconds=(1.0, 5.0, 30.0), random=random.random, now=self.loop.time()
        )
        self.token = None if key is None else world.sign_in(key)
        self.line: Line | None = None
        self.dial_at = 0.0
        self.views: dict[StreamKey, dict[str, str | None]] = {thread_id: {} for thread_id in threads}
        self.numbers: dict[StreamKey, int] = {}
        self.synced: set[str] = set()
        self.answers: list[Any] = []
        self.counts = {"updates": 0, "syncs": 0, "losses": 0}
        for thread_id in threads:
            self.core.streams.subscribe(thread_id, None, self.loop.time())
        if key is not None:
            self.core.streams.subscribe(None, None, self.loop.time())

    async def live(self) -> None:
        """Until cancelled."""
        while True:
            await asyncio.sleep(self.random.uniform(0.001, 0.04))
            if self.line is None:
                if self.loop.time() >= self.dial_at and self.world.hub.is_running:
                    self._dial()
            else:
                self._exchange(self.line)
            if self.random.random() < self.eagerness:
                for _ in range(self.random.randint(1, 20)):
                    update = self.core.streams.take(self.loop.time())
                    if update is None:
                        break
                    self._apply(update)

    def recover(self) -> None:
        """From here on the network is good, and the reader quick. What was lost under way is still lost."""
        self.trouble, self.eagerness = 0.0, 1.0
        if self.line is not None:
            self._hang_up(self.line, "cut")

    # The network

    def _dial(self) -> None:
        self.line = line = Line(self.world)
        line.token = self.token
        line.connection = ServerConnection(self.world.hub, line)
        self.world.hub.join(line.connection)
        line.connection.send("welcome", welcome(self.world.hub, None))
        self.core.connected(self.token, self.loop.time())

    def _exchange(self, line: Line) -> None:
        now, random = self.loop.time(), self.random
        for _ in range(random.randint(0, 5)):
            if self.core.outbox and not line.is_closed:
                frame = self.core.outbox.popleft()
                document = {"id": frame.id, "type": frame.type, "payload": frame.payload, "timestamp": 0}
                if frame.thread_id is not None:
                    document["thread_id"] = frame.thread_id
                if random.random() >= self.trouble / 20:
                    line.connection.receive(_encode(document))
        try:
            for text in self._arriving(line):
                self.core.received(text, now)
        except ApiError:
            self.token = None  # the session has ended: go on signed out
            self._hang_up(line, "session ended")
            return
        self.answers += self.core.answers
        self.core.answers.clear()
        reason = self.core.tick(now)
        if reason is None and line.is_closed and not line.frames:
            reason = "closed"
        if reason is None and random.random() < self.trouble / 100:
            reason = "cut"
        if reason is not None:
            self._hang_up(line, reason)

    def _arriving(self, line: Line) -> Iterator[str]:
        random = self.random
        for _ in range(random.randint(0, 12)):
            if not line.frames:
                return
            if len(line.frames) > 1 and random.random() < self.trouble / 20:
                line.frames[0], line.frames[1] = line.frames[1], line.frames[0]
            text = line.read()
            if random.random() < self.trouble / 20:
                continue
            yield text
            if random.random() < self.trouble / 10:
                yield text

    def _hang_up(self, line: Line, reason: str) -> None:
        self.line = None
        line.is_closed = True
        line.connection.lost()
        self.counts["losses"] += 1
        self.dial_at = self.loop.time() + self.core.disconnected(reason, self.loop.time())

    # What is seen

    def _apply(self, update: AnyUpdate) -> None:
        if isinstance(update, Connection):
            return
        if isinstance(update, StreamEnded):
            self._end(update)
        elif isinstance(update, News):
            self._follow(update)
        else:
            thread_id = update.thread_id if isinstance(update, ThreadSync) else None
            if update.seq < self.numbers.get(thread_id, 0):
                raise Violation(f"a snapshot of {update.seq} after {self.numbers[thread_id]}")
            self.numbers[thread_id] = update.seq
            self.counts["syncs"] += 1
            if isinstance(update, ThreadSync):
                assert not update.thread.has_older, "the simulation writes too much into a thread"
                view = {m.content_hash: m.text for m in update.thread.messages.items if m.kind == "message"}
                if not view.keys() >= self.views[thread_id].keys():
                    raise Violation("a snapshot lacks messages that were seen before")
                self.views[thread_id] = view
                self.synced |= view.keys()

    def _follow(self, update: News) -> None:
        number = self.numbers.get(update.thread_id)
        if number is None or update.seq <= number:
            raise Violation(f"{update.seq} was applied after {number}")
        missed = [seq for seq in self.events_of(update.thread_id) if number < seq < update.seq]
        if missed:
            raise Violation(f"{update.seq} was applied after {number} without {missed}")
        self.numbers[update.thread_id] = update.seq
        self.counts["updates"] += 1
        if update.thread_id is None:
            return
        view = self.views[update.thread_id]
        if isinstance(update, NewMessage):
            content_hash = update.message.content_hash
            if content_hash in view and content_hash not in self.synced:
                raise Violation(f"{content_hash} was applied twice")
            view.setdefault(content_hash, update.message.text)
        elif isinstance(update, ThreadUpdate) and update.message is not None:
            view[update.message.content_hash] = update.message.text

    def _end(self, ended: StreamEnded) -> None:
        """The right to a stream was lost: see what may still be seen of the thread."""
        if ended.error.name not in ("NotPermitted", "NotSignedIn"):
            raise Violation(f"a stream ended: {ended}")
        self.numbers.pop(ended.thread_id, None)
        if ended.thread_id is not None:
            self.core.streams.subscribe(ended.thread_id, None, self.loop.time())

    # What is true

    def events_of(self, thread_id: StreamKey) -> list[int]:
        if thread_id is not None:
            return self.world.events_of(thread_id)
        key = ServerKey("account", self.key.address if self.key else "")
        return [event.seq for event in self.world.engine.history if key in keys_of(event)]

    def is_up_to_date(self) -> bool:
        """Whether it has seen everything of what it follows."""
        followed: list[StreamKey] = [*self.threads, *([None] if self.token is not None else [])]
        return all(self.numbers.get(key, -1) >= max(self.events_of(key), default=0) for key in followed)


def _text_of(plain: bytes) -> str:
    size = plain[1]
    return plain[2 if size < 126 else 4 if size == 126 else 10 :].decode()


def _texts_in(value: Any) -> Iterator[tuple[str, str]]:
    if isinstance(value, list):
        for item in value:
            yield from _texts_in(item)
    elif isinstance(value, dict):
        if value.get("text") is not None:
            yield value.get("content_hash") or value["spec_id"], value["text"]
        for item in value.values():
            yield from _texts_in(item)


def _encode(document: Any) -> bytes:
    return msgspec.json.encode(document)
