"""Asking the chorus, and the runs that one has asked for. Everything here is for the signed-in owner of a run."""

import contextlib
from typing import Annotated, Any, Final, cast

import msgspec
from litestar import Response, Router, delete, get, post
from litestar.params import HeaderParameter, Parameter
from msgspec import Meta, Struct

from choir.api.answers import Answer, AnyRequest, Page, answer
from choir.api.bodies import decode_body, read_body
from choir.api.chorus.runs import MAX_PROMPT_CHARACTERS, ShownRun
from choir.api.chorus.sse import stream
from choir.api.cursors import before_cursor, next_cursor
from choir.api.parameters import Cursor, Limit, validate_thread_id
from choir.api.services import get_services
from choir.api.viewer import require_viewer
from choir.chorus.events import AnswerCitation, AnyRunEvent, RunFinished
from choir.chorus.store import KeptRun
from choir.ledger.errors import Code, Rejected

_LARGEST_NUMBER: Final = 2**53 - 1
After = Annotated[
    int, Parameter(ge=0, le=_LARGEST_NUMBER, description="the number of the last event that the asker has")
]
LastEventId = Annotated[
    str | None,
    HeaderParameter(name="Last-Event-ID", description="the same, as browsers send it when they come back; it wins"),
]


class AskBody(Struct, frozen=True, forbid_unknown_fields=True):
    prompt: Annotated[str, Meta(min_length=1, max_length=MAX_PROMPT_CHARACTERS)]
    thread_id: str | None = None


class RunView(Struct, frozen=True, kw_only=True):
    """A run of the asker's. ``status`` is running, finished, failed or cancelled."""

    run_id: str
    thread_id: str | None
    prompt: str
    status: str
    created_at_ms: int


class RunDetail(RunView, frozen=True, kw_only=True):
    """``answer`` is null until the run has finished. ``is_withheld``: part of the run was written from a message that
    the asker may no longer read, and is not shown."""

    answer: str | None
    citations: tuple[AnswerCitation, ...]
    is_withheld: bool
    events: tuple[AnyRunEvent, ...]


class DeletedRun(Struct, frozen=True, kw_only=True):
    run_id: str


_ask_decoder = msgspec.json.Decoder(AskBody)


@post("/chorus", status_code=200)
async def ask(request: AnyRequest) -> Response[Answer[RunDetail]]:
    """Ask the chorus: a stream of the run's events as they happen, or with ``Accept: application/json`` the run when it
    has ended. The run goes on when the connection breaks."""
    viewer = await require_viewer(request)
    body = await read_body(request, lambda raw: decode_body(raw, _ask_decoder))
    validate_thread_id(body.thread_id)
    runs = get_services(request.app).chorus
    run_id = await runs.start(viewer, body.prompt, body.thread_id)
    events = runs.watch(run_id, viewer)
    if not _wants_document(request):
        return cast(Response[Answer[RunDetail]], stream(run_id, events))
    async with contextlib.aclosing(events):
        async for _ in events:
            pass
    return answer(request, _detail(await runs.get(run_id, viewer)))


@get("/chorus/runs")
async def list_runs(request: AnyRequest, cursor: Cursor = None, limit: Limit = 50) -> Response[Answer[Page[RunView]]]:
    """The asker's runs, newest first."""
    viewer = await require_viewer(request)
    runs = await get_services(request.app).chorus.page(viewer, before_cursor(cursor), limit)
    items = [RunView(**_fields(run)) for run in runs]
    return answer(request, Page(items=items, next_cursor=next_cursor([run.seq for run in runs], limit)))


@get("/chorus/runs/{run_id:str}")
async def get_run(request: AnyRequest, run_id: str) -> Response[Answer[RunDetail]]:
    """One run with its events so far, but for the tokens."""
    viewer = await require_viewer(request)
    return answer(request, _detail(await get_services(request.app).chorus.get(run_id, viewer)))


@get("/chorus/runs/{run_id:str}/events", media_type="text/event-stream")
async def watch_run(
    request: AnyRequest, run_id: str, after: After = 0, last_event_id: LastEventId = None
) -> Response[bytes]:
    """The run's events after a number, up to its end: live while it is under way."""
    viewer = await require_viewer(request)
    runs = get_services(request.app).chorus
    number = after if last_event_id is None else _parse_event_id(last_event_id)
    await runs.require(run_id, viewer)
    return cast(Response[bytes], stream(run_id, runs.watch(run_id, viewer, number)))


@post("/chorus/runs/{run_id:str}/cancel", status_code=200)
async def cancel_run(request: AnyRequest, run_id: str) -> Response[Answer[RunDetail]]:
    """End a run. One that has ended stays as it is."""
    viewer = await require_viewer(request)
    runs = get_services(request.app).chorus
    await runs.cancel(run_id, viewer)
    return answer(request, _detail(await runs.get(run_id, viewer)))


@delete("/chorus/runs/{run_id:str}", status_code=200)
async def delete_run(request: AnyRequest, run_id: str) -> Response[Answer[DeletedRun]]:
    """Delete a run for good; one under way is cancelled first."""
    viewer = await require_viewer(request)
    await get_services(request.app).chorus.delete(run_id, viewer)
    return answer(request, DeletedRun(run_id=run_id))


def _wants_document(request: AnyRequest) -> bool:
    accepted = request.headers.get("accept", "").lower()
    return "application/json" in accepted and "text/event-stream" not in accepted


def _parse_event_id(given: str) -> int:
    if not given.isascii() or not given.isdigit() or len(given) > 15:
        raise Rejected(Code.InvalidRequest, "Last-Event-ID is the number of an event.", field="Last-Event-ID")
    return int(given)


def _detail(shown: ShownRun) -> RunDetail:
    ending = shown.events[-1] if shown.events else None
    return RunDetail(
        **_fields(shown.kept),
        answer=ending.answer if isinstance(ending, RunFinished) else None,
        citations=ending.citations if isinstance(ending, RunFinished) else (),
        is_withheld=shown.is_withheld,
        events=shown.events,
    )


def _fields(run: KeptRun) -> dict[str, Any]:
    return {
        "run_id": run.run_id,
        "thread_id": run.thread_id,
        "prompt": run.prompt,
        "status": run.status,
        "created_at_ms": run.created_at_ms,
    }


router = Router("/", route_handlers=[ask, list_runs, get_run, watch_run, cancel_run, delete_run], tags=["chorus"])
