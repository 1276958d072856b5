"""How much one connection, and all of them together, may ask of the node."""

from typing import Final

from msgspec import Struct

from choir.api.bodies import MAX_BODY_BYTES

PROTOCOL_VERSION: Final = 1


class Limits(Struct, frozen=True, kw_only=True):
    """Times are in seconds. The node tells them in `welcome`.

    ``unacknowledged_updates``: so many updates of one stream go out before the node waits for an `ack`.
    ``waiting_bytes``: what may wait in the node to be sent to one client before its streams are held back.
    ``slow_seconds``: how long it may take nothing, or acknowledge nothing, before it is closed.
    ``messages_per_second`` may be exceeded ``burst_messages`` times.
    """

    frame_bytes: int = MAX_BODY_BYTES + 4096
    subscriptions: int = 256
    unacknowledged_updates: int = 512
    waiting_bytes: int = 128 << 10
    slow_seconds: int = 20
    ping_seconds: int = 30
    pong_seconds: int = 5
    messages_per_second: int = 500
    burst_messages: int = 2000
    submissions: int = 64
    runs: int = 4
    connections: int = 10_000
    recent_events: int = 10_000
