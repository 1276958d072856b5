"""The live protocol from the client's side, without I/O and clock: frames and times go in, frames and updates come out.

The shell (`choir.client.live`) connects, carries frames in both directions, and calls `tick` when `wakes_at` says so.
"""

from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, Final

import msgspec
from msgspec import Struct

from choir.client.live_frames import (
    PROTOCOL,
    Incoming,
    Outgoing,
    Refusal,
    Welcome,
    decode_frame,
    decode_payload,
    unexpected,
)
from choir.client.live_models import Connection, ConnectionState
from choir.client.live_streams import StreamKey, Streams

# The node pings every 30 s; who says nothing for this long is gone.
SILENCE_SECONDS: Final = 45.0
HANDSHAKE_SECONDS: Final = 10.0
# A connection that held this long was a good one: the next loss is retried quickly again.
STEADY_SECONDS: Final = 30.0
_RUN_ENDINGS: Final = frozenset({"run_finished", "run_failed", "run_cancelled"})


class Answer(Struct, frozen=True):
    """What became of a request: the node's frame, or None when the connection broke and asking again could do it
    twice."""

    request_id: str
    frame: Incoming | None


class _Step(Struct, frozen=True):
    number: int
    type: str
    run_id: str | None = None


class _Request(Struct):
    frame: Outgoing
    run_id: str | None = None


class LiveCore:
    """One client's side of the protocol.

    ``outbox`` holds frames to send, ``answers`` what requests were answered; both are emptied by the shell. ``random``
    gives numbers in [0, 1) and spreads out who comes back when. Times are seconds of any clock that only rises.
    """

    def __init__(
        self, *, capacity: int, retry_delays_seconds: Sequence[float], random: Callable[[], float], now: float
    ) -> None:
        self.outbox: deque[Outgoing] = deque()
        self.answers: deque[Answer] = deque()
        self.streams = Streams(self._send, capacity)
        self.state: ConnectionState = "connecting"
        self.address: str | None = None
        self.last_reason = ""
        self._delays_seconds = tuple(retry_delays_seconds)
        self._random = random
        self._requests: dict[str, _Request] = {}
        self._last_id = 0
        self._losses = 0
        self._chain_id: str | None = None
        self._auth_id: str | None = None
        self._complaint: str | None = None
        self._since = self._heard_at = now

    # The connection

    def connected(self, token: str | None, now: float) -> None:
        """The connection is open. With ``token`` the session speaks for its account."""
        self._since = self._heard_at = now
        self._complaint = None
        self.authenticate(token)

    def authenticate(self, token: str | None) -> None:
        """Present the session, if there is one. Until the node has taken it, nothing else is asked."""
        self._auth_id = None if token is None else self._send("auth", {"token": token})

    def disconnected(self, reason: str, now: float) -> float:
        """The connection is lost, or could not be made. Returns the seconds to wait before the next try."""
        if self.state == "live" and now - self._since >= STEADY_SECONDS:
            self._losses = 0
        delay_seconds = self._delays_seconds[min(self._losses, len(self._delays_seconds) - 1)]
        delay_seconds *= 0.5 + self._random()
        self._losses += 1
        self.outbox.clear()
        self.streams.stop()
        self._drop_lost_runs()
        self.last_reason = self._complaint or reason
        self._change("reconnecting", reason=self.last_reason, retry_in_seconds=round(delay_seconds, 3))
        return delay_seconds

    def closed(self, reason: str | None = None) -> None:
        """The user is done with it, or it cannot go on."""
        self.streams.stop()
        self._change("closed", reason=reason)

    def wakes_at(self) -> float:
        """When `tick` has something to do."""
        return min([self._silent_at(), *self.streams.due()])

    def tick(self, now: float) -> str | None:
        """What is due. Returns why the connection must be given up, if it must."""
        if now >= self._silent_at():
            return "the node has fallen silent"
        self.streams.tick(now)
        return None

    def _silent_at(self) -> float:
        return self._heard_at + (SILENCE_SECONDS if self.streams.is_live else HANDSHAKE_SECONDS)

    # Requests

    def submit(self, submission: dict[str, Any]) -> str:
        """Bring a signed transaction; brought again after a loss, since the same one takes effect once. Returns the
        request's id, under which ``submitted`` and ``receipt`` come, or an ``error``."""
        return self._request("submit", submission)

    def chorus(self, question: dict[str, Any]) -> str:
        """Run a chorus, or watch one (``run_id``, ``after``). Returns the request's id."""
        return self._request("chorus", question, run_id=question.get("run_id"))

    def cancel_run(self, run_id: str) -> bool:
        """Ask the node to end a run. False, and nothing is asked, while there is no connection."""
        if self.streams.is_live:
            self._send("chorus_cancel", {"run_id": run_id})
        return self.streams.is_live

    def forget(self, request_id: str) -> None:
        """Nobody waits for this request's answers any more."""
        self._requests.pop(request_id, None)

    def _request(self, kind: str, payload: dict[str, Any], run_id: str | None = None) -> str:
        frame = Outgoing(id=self._next_id(), type=kind, payload=payload)
        self._requests[frame.id] = _Request(frame, run_id)
        if self.streams.is_live:
            self.outbox.append(frame)
        return frame.id

    def _drop_lost_runs(self) -> None:
        """A question whose run was not yet announced may run, or not: asked again it might run twice."""
        for request_id, request in list(self._requests.items()):
            if request.frame.type == "chorus" and request.run_id is None:
                self._answer(request_id, None, is_last=True)

    def _answer(self, request_id: str, frame: Incoming | None, *, is_last: bool) -> None:
        self.answers.append(Answer(request_id, frame))
        if is_last:
            self.forget(request_id)

    # What the node says

    def received(self, raw: bytes | str, now: float) -> None:
        """A frame. Raises ``UnexpectedAnswer``, and ``ApiError`` when the session is refused."""
        self._heard_at = now
        frame = decode_frame(raw)
        if frame.type == "ping":
            self._send("pong", msgspec.json.decode(frame.payload))
        elif frame.type == "welcome":
            self._welcomed(decode_payload(frame, Welcome), now)
        elif frame.type == "error":
            self._refused(frame, decode_payload(frame, Refusal), now)
        elif frame.type in ("submitted", "receipt", "chorus_step"):
            self._answered(frame)
        elif frame.type in ("state_sync", "batch") or frame.seq is not None:
            self.streams.receive(frame, now)

    def _welcomed(self, welcome: Welcome, now: float) -> None:
        if welcome.protocol != PROTOCOL:
            raise unexpected(f"protocol {welcome.protocol}")
        if self.streams.is_live or (self._auth_id is not None and welcome.address is None):
            return  # the first greeting, before the session's
        self.address = welcome.address
        is_same_chain = self._chain_id in (None, welcome.chain_id)
        self._chain_id = welcome.chain_id
        self._since = now
        self._change("live")
        self.streams.start(welcome.seq, is_same_chain=is_same_chain, now=now)
        self.outbox.extend(request.frame for request in self._requests.values())

    def _answered(self, frame: Incoming) -> None:
        request = self._requests.get(frame.id or "")
        if request is None:
            return
        is_last = frame.type == "receipt"
        if frame.type == "chorus_step":
            step = decode_payload(frame, _Step)
            request.run_id = request.run_id or step.run_id
            seen = {"run_id": request.run_id, "after": step.number}
            request.frame = msgspec.structs.replace(request.frame, payload=seen)
            is_last = step.type in _RUN_ENDINGS
        self._answer(request.frame.id, frame, is_last=is_last)

    def _refused(self, frame: Incoming, refusal: Refusal, now: float) -> None:
        if frame.id is not None and frame.id == self._auth_id and not self.streams.is_live:
            raise refusal.as_error()
        if frame.id in self._requests:
            self._answer(frame.id, frame, is_last=True)
        elif not self.streams.refuse(frame, refusal, now):
            # About the connection as a whole: what follows is most likely its end, and this is why.
            self._complaint = f"{refusal.name}: {refusal.message}"

    # Small things

    def _change(self, state: ConnectionState, **more: Any) -> None:
        self.state = state
        self.streams.tell(Connection(state=state, **more))

    def _send(self, kind: str, payload: dict[str, Any], thread_id: StreamKey = None) -> str:
        frame = Outgoing(id=self._next_id(), type=kind, payload=payload, thread_id=thread_id)
        self.outbox.append(frame)
        return frame.id

    def _next_id(self) -> str:
        self._last_id += 1
        return str(self._last_id)
