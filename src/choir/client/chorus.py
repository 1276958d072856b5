"""Asking the chorus: runs as typed events, taken up again where a connection broke."""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from typing import Final, get_args

import msgspec

from choir.client.chorus_models import AnyRunEvent, DeletedRun, Run, RunSummary
from choir.client.errors import NodeUnreachable, UnexpectedAnswer
from choir.client.models import Page
from choir.client.sse import SseMessage
from choir.client.transport import Transport, encode_body, path_to

_KNOWN_TYPES: Final = frozenset(str(kind.__struct_config__.tag) for kind in get_args(AnyRunEvent))
_event_decoder = msgspec.json.Decoder(AnyRunEvent)


class Chorus:
    """The chorus of a node, as `Client.chorus`. Everything here needs a signed-in client."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    async def ask(self, prompt: str, *, thread_id: str | None = None) -> AsyncGenerator[AnyRunEvent, None]:
        """Start a run and give its events as they happen, to its end. A broken connection is taken up again; leaving
        early leaves the run going (see `cancel`)."""
        body = {"prompt": prompt} if thread_id is None else {"prompt": prompt, "thread_id": thread_id}
        run_id, last = "", 0
        try:
            async with aclosing(self._stream("POST", path_to("chorus"), encode_body(body))) as events:
                async for event in events:
                    run_id, last = run_id or getattr(event, "run_id", ""), event.number
                    yield event
                    if event.is_ending:
                        return
        except UnexpectedAnswer:
            raise
        except NodeUnreachable:
            if not run_id:
                raise
        async with aclosing(self.watch(run_id, after=last)) as events:
            async for event in events:
                yield event

    async def watch(self, run_id: str, *, after: int = 0) -> AsyncGenerator[AnyRunEvent, None]:
        """The events of a run after a number, to its end; see `ask`."""
        path, pauses = path_to("chorus", "runs", run_id, "events"), self._transport.retry_delays_seconds
        for pause_seconds in (*pauses, None):
            try:
                async with aclosing(self._stream("GET", path, None, {"after": str(after)})) as events:
                    async for event in events:
                        after = event.number
                        yield event
                return
            except UnexpectedAnswer:
                raise
            except NodeUnreachable:
                if pause_seconds is None:
                    raise
                await asyncio.sleep(pause_seconds)

    async def runs(self, *, cursor: str | None = None, limit: int | None = None) -> Page[RunSummary]:
        """The signed-in account's runs, newest first."""
        return await self._transport.get(
            path_to("chorus", "runs"), Page[RunSummary], {"cursor": cursor, "limit": limit}
        )

    async def run(self, run_id: str) -> Run:
        """One run with its events so far."""
        return await self._transport.get(path_to("chorus", "runs", run_id), Run)

    async def cancel(self, run_id: str) -> Run:
        """End a run; one that has ended stays as it is."""
        return await self._transport.post(path_to("chorus", "runs", run_id, "cancel"), b"", Run, is_idempotent=True)

    async def delete(self, run_id: str) -> None:
        """Delete a run for good."""
        await self._transport.delete(path_to("chorus", "runs", run_id), DeletedRun)

    async def _stream(
        self, method: str, path: str, body: bytes | None, query: Mapping[str, str] | None = None
    ) -> AsyncGenerator[AnyRunEvent, None]:
        """The events of one connection. Raises ``NodeUnreachable`` where it ends before the run does."""
        async with aclosing(self._transport.stream(method, path, body=body, query=query)) as messages:
            async for message in messages:
                event = _decode_event(message)
                if event is None:
                    continue
                yield event
                if event.is_ending:
                    return
        raise NodeUnreachable("the node ended the stream before the run was over: see whether it still runs")


def _decode_event(message: SseMessage) -> AnyRunEvent | None:
    """None for a kind of event that only a newer node knows."""
    if message.event not in _KNOWN_TYPES:
        return None
    try:
        event: AnyRunEvent = _event_decoder.decode(message.data)
    except msgspec.DecodeError as error:
        raise UnexpectedAnswer(
            f"what answers is not a Choir node of this version ({error}): look at --node and update"
        ) from error
    return event
