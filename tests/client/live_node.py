"""Frames as a node sends them, and a core that is fed with them."""

import json
from typing import Any

from choir.client.live_core import LiveCore
from choir.client.live_models import AnyUpdate

THREAD, OTHER = "a" * 32, "b" * 32
ADDRESS = "1" * 32
WELCOME = {"protocol": 1, "node": "test", "version": "0", "chain_id": "test", "height": 1, "seq": 100, "limits": {}}


def frame(kind: str, payload: dict[str, Any], **more: Any) -> str:
    return json.dumps({"id": "n", "type": kind, "payload": payload, "timestamp": 0, **more})


def welcome(**changes: Any) -> str:
    return frame("welcome", {**WELCOME, "address": None, **changes})


def message(number: int, thread_id: str = THREAD) -> dict[str, Any]:
    return {
        "content_hash": f"{number:064x}",
        "thread_id": thread_id,
        "author": ADDRESS,
        "created_at_ms": number,
        "kind": "message",
        "status": "approved",
        "privacy": "public",
        "is_erased": False,
        "priors": [],
        "access": "full",
        "tx_hash": f"{number:064x}",
        "text": f"message {number}",
    }


def news(seq: int, after_seq: int, thread_id: str = THREAD) -> dict[str, Any]:
    """An element of a batch."""
    payload = {"after_seq": after_seq, "event": {"type": "message_posted"}, "message": message(seq, thread_id)}
    return {"id": "n", "type": "new_message", "payload": payload, "timestamp": 0, "seq": seq}


def new_message(seq: int, after_seq: int, thread_id: str = THREAD) -> str:
    return json.dumps({**news(seq, after_seq, thread_id), "thread_id": thread_id})


def thread(thread_id: str = THREAD, messages: tuple[int, ...] = ()) -> dict[str, Any]:
    return {
        "thread_id": thread_id,
        "title": None,
        "privacy": "public",
        "co_authors": [ADDRESS],
        "balance": "0",
        "message_count": len(messages),
        "open_spec_count": 0,
        "created_at_ms": 1,
        "messages": {"items": [message(number, thread_id) for number in messages], "next_cursor": None},
        "open_specs": [],
    }


def thread_sync(seq: int, thread_id: str = THREAD, messages: tuple[int, ...] = ()) -> str:
    return frame("state_sync", thread(thread_id, messages), thread_id=thread_id, seq=seq)


def refusal(name: str, code: int, *, frame_id: str = "n", thread_id: str | None = None, **more: Any) -> str:
    about = {} if thread_id is None else {"thread_id": thread_id}
    payload = {"code": code, "name": name, "message": f"{name} happened.", **more}
    return json.dumps({"id": frame_id, "type": "error", "payload": payload, "timestamp": 0, **about})


class Client:
    """A core, what it sent, and what it told its user."""

    def __init__(self, *, capacity: int = 1000, random: float = 0.5) -> None:
        self.now = 1000.0
        self.core = LiveCore(
            capacity=capacity, retry_delays_seconds=(1.0, 5.0, 30.0), random=lambda: random, now=self.now
        )

    def connect(self, *frames: str, token: str | None = None) -> None:
        """Connect and be greeted; ``frames`` instead of the plain greeting."""
        self.core.connected(token, self.now)
        self.receive(*(frames or (welcome(),)))

    def lose(self, reason: str = "lost") -> float:
        return self.core.disconnected(reason, self.now)

    def receive(self, *frames: str) -> None:
        for raw in frames:
            self.core.received(raw, self.now)

    def subscribe(self, thread_id: str | None = THREAD, from_seq: int | None = None) -> None:
        self.core.streams.subscribe(thread_id, from_seq, self.now)

    def sent(self) -> list[tuple[str, Any]]:
        """(type, payload) of what was sent since the last look."""
        frames = [(frame.type, frame.payload) for frame in self.core.outbox]
        self.core.outbox.clear()
        return frames

    def updates(self) -> list[AnyUpdate]:
        found = []
        while (update := self.core.streams.take(self.now)) is not None:
            found.append(update)
        return found

    def told(self) -> list[int | str]:
        """The updates since the last look: sequence numbers, and the names of those without."""
        return [getattr(update, "seq", type(update).__name__) for update in self.updates()]

    def wait(self, seconds: float) -> str | None:
        self.now += seconds
        return self.core.tick(self.now)


ASK = ("subscribe", {"threads": [THREAD]})


def ask_from(seq: int) -> tuple[str, dict[str, Any]]:
    return ("subscribe", {"threads": [THREAD], "from_seq": seq})


def following(seq: int = 10, **options: Any) -> Client:
    """A live client whose thread stands at ``seq``."""
    client = Client(**options)
    client.subscribe()
    client.connect()
    client.receive(thread_sync(seq))
    client.updates()
    client.sent()
    return client
