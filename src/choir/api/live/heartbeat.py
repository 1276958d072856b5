"""Once a second: pings to those whose turn it is, and an end for those who do not answer or do not read."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

import structlog

from choir.api.live.frames import CloseCode
from choir.api.live.protocol import make_message

if TYPE_CHECKING:
    from choir.api.live.hub import LiveHub

_log = structlog.get_logger("choir.live")


class Heartbeat:
    """Each connection has its own 30 seconds, from when it was made, so that pings do not come all at once."""

    def __init__(self, hub: LiveHub) -> None:
        self._hub = hub

    async def run(self) -> None:
        second = time.monotonic()
        while True:
            second += 1
            await asyncio.sleep(max(0.0, second - time.monotonic()))
            try:
                await self._hub.check_sessions()
                self._beat(time.monotonic())
            except Exception:
                # While sessions cannot be looked at, nobody who is signed in is told anything. We try again.
                _log.exception("the connections could not be looked after")

    def _beat(self, now: float) -> None:
        limits, now_ms = self._hub.limits, self._hub.services.clock_ms()
        nonce = self._hub.next_id()
        ping = make_message(nonce, "ping", {"nonce": nonce}, now_ms)
        for connection in list(self._hub.connections):
            if connection.is_session_over(now_ms):
                connection.end_session()
            elif connection.is_slow(now - limits.slow_seconds):
                connection.close(CloseCode.TOO_SLOW, "the client does not read")
            elif connection.is_silent(now - limits.pong_seconds):
                connection.close(CloseCode.NO_PONG, "no pong")
            elif connection.is_quiet(now - limits.ping_seconds):
                connection.ping(ping, nonce, now)
        for subscription, since in list(self._hub.held.items()):
            if since <= now - limits.slow_seconds:
                subscription.connection.close(CloseCode.TOO_SLOW, "the client does not acknowledge")
