"""Runs of the chorus over the WebSocket: asking, watching, cancelling."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Annotated, Final

import msgspec
from msgspec import Meta, Struct

from choir.api.chorus.runs import MAX_PROMPT_CHARACTERS
from choir.api.errors import as_refusal
from choir.api.live.protocol import Envelope, Seq, ThreadId, read_payload
from choir.engine.protocol import EngineError
from choir.ledger.errors import Code, Rejected
from choir.memory.memory import SearchUnavailable
from choir.memory.search import QueryError

if TYPE_CHECKING:
    from choir.api.live.connection import Connection

RunId = Annotated[str, Meta(min_length=1, max_length=64)]


class Ask(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Either ``prompt`` (and ``thread_id``) or ``run_id`` (and ``after``)."""

    prompt: Annotated[str, Meta(min_length=1, max_length=MAX_PROMPT_CHARACTERS)] | None = None
    thread_id: ThreadId | None = None
    run_id: RunId | None = None
    after: Seq = 0


class Cancel(Struct, frozen=True, forbid_unknown_fields=True):
    run_id: RunId


_ask: Final = msgspec.json.Decoder(Ask)
_cancel: Final = msgspec.json.Decoder(Cancel)


async def ask(connection: Connection, envelope: Envelope) -> None:
    """Begin a run, or watch one of one's own. The run goes on when the connection breaks."""
    viewer, wanted = _signed_in(connection), read_payload(envelope, _ask)
    limit = connection.hub.limits.runs
    if connection.runs_watched >= limit:
        raise Rejected(Code.TooManyRequests, f"A connection watches at most {limit} runs.")
    runs = connection.services.chorus
    if wanted.prompt is not None and wanted.run_id is None:
        run_id = await runs.start(viewer, wanted.prompt, wanted.thread_id)
    elif wanted.run_id is not None and wanted.prompt is None:
        run_id = (await runs.require(wanted.run_id, viewer)).run.run_id
    else:
        raise Rejected(Code.InvalidRequest, "It takes either a prompt or a run_id.", field="prompt")
    connection.start_run(_watch(connection, envelope.id, run_id, viewer, wanted.after))


async def cancel(connection: Connection, envelope: Envelope) -> None:
    """End a run; those who watch it are told by its last event."""
    viewer = _signed_in(connection)
    await connection.services.chorus.cancel(read_payload(envelope, _cancel).run_id, viewer)


async def _watch(connection: Connection, message_id: str, run_id: str, viewer: str, after: int) -> None:
    try:
        async with contextlib.aclosing(connection.services.chorus.watch(run_id, viewer, after)) as events:
            async for event in events:
                # A client that does not read its run holds up nothing but its own watching.
                await connection.socket.writable()
                if not await connection.is_entitled():
                    return
                connection.send("chorus_step", event, message_id)
    except Rejected as refusal:
        connection.send_error(refusal, message_id)
    except (EngineError, SearchUnavailable, QueryError) as error:
        connection.send_error(as_refusal(error), message_id)


def _signed_in(connection: Connection) -> str:
    if connection.viewer is None:
        raise Rejected(Code.NotSignedIn)
    return connection.viewer
