"""Server-Sent Events: how a run's events go over HTTP, with a heartbeat so that nobody in between gives up."""

import asyncio
from collections.abc import AsyncGenerator
from typing import Final

import msgspec
from litestar.response import Stream

from choir.chorus.events import AnyRunEvent

HEARTBEAT_SECONDS: Final = 15.0
_HEARTBEAT: Final = b": still here\n\n"
# Nothing may gather what is for now. That nothing stores it, every answer of the API says.
_HEADERS: Final = {"X-Accel-Buffering": "no"}


def stream(
    run_id: str, events: AsyncGenerator[AnyRunEvent, None], heartbeat_seconds: float = HEARTBEAT_SECONDS
) -> Stream:
    """The answer that streams events; ``Run-Id`` names the run before its first event is there."""
    return Stream(
        encode_events(events, heartbeat_seconds),
        media_type="text/event-stream",
        headers={**_HEADERS, "Run-Id": run_id},
    )


async def encode_events(
    events: AsyncGenerator[AnyRunEvent, None], heartbeat_seconds: float
) -> AsyncGenerator[bytes, None]:
    """Each event as one message; a comment whenever there was none for ``heartbeat_seconds``."""
    coming: asyncio.Task[AnyRunEvent] | None = None
    try:
        while True:
            # The task outlives a heartbeat: cancelling it would end the generator.
            coming = coming or asyncio.ensure_future(anext(events))
            done, _ = await asyncio.wait([coming], timeout=heartbeat_seconds)
            if not done:
                yield _HEARTBEAT
                continue
            event = coming.result()
            coming = None
            yield encode_event(event)
    except StopAsyncIteration:
        return
    finally:
        if coming is not None and not coming.done():
            coming.cancel()
            await asyncio.wait([coming])
        await events.aclose()


def encode_event(event: AnyRunEvent) -> bytes:
    """One message: the event's type, number and JSON, which has no line breaks."""
    kind = str(event.__struct_config__.tag).encode("ascii")
    return b"event: %b\nid: %d\ndata: %b\n\n" % (kind, event.number, msgspec.json.encode(event))
