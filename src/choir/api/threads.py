"""Threads: one with its messages, and all of them newest first."""

import asyncio
from collections.abc import Sequence
from typing import Any, NamedTuple

import msgspec
from litestar import Response, Router, get
from msgspec import Struct

from choir.api.access import show
from choir.api.answers import Answer, AnyRequest, Page, answer, not_found
from choir.api.cursors import END, after_cursor, before_cursor, next_cursor, until_cursor
from choir.api.finding import title_of
from choir.api.parameters import AddressQuery, Around, Before, Cursor, Limit, validate_address
from choir.api.services import Services, get_services
from choir.api.viewer import get_viewer
from choir.api.views import MessageView, SpecView, message_view, spec_view
from choir.ledger.entities import THREADS, Thread
from choir.ledger.errors import Code, Rejected
from choir.memory.records import Record, RecordStore

_OPEN_SPECS = 64


class ThreadView(Struct, frozen=True, kw_only=True):
    """``title`` is the first line of the opening message, where the asker may read it."""

    thread_id: str
    title: str | None
    privacy: str
    co_authors: tuple[str, ...]
    balance: str
    message_count: int
    open_spec_count: int
    created_at_ms: int


class MessagePage(Struct, frozen=True, kw_only=True):
    """A `Page` of a thread. ``previous_cursor``: pass it back as ``before`` for the page before this one, or as
    ``cursor`` for this one; null where the thread begins. ``position``: how many messages of the thread stand before
    the page. A live snapshot has neither."""

    items: list[MessageView]
    next_cursor: str | None
    previous_cursor: str | None = None
    position: int | None = None


class ThreadDetail(ThreadView, frozen=True, kw_only=True):
    messages: MessagePage
    open_specs: list[SpecView]


@get("/thread/{thread_id:str}")
async def get_thread(
    request: AnyRequest,
    thread_id: str,
    cursor: Cursor = None,
    before: Before = None,
    around: Around = None,
    limit: Limit = 50,
) -> Response[Answer[ThreadDetail]]:
    """A thread with a page of its messages, oldest first, and its open specs. The page begins with the thread, after
    ``cursor``, ends at ``before``, or has the message ``around`` in its middle; at most one of the three."""
    services = get_services(request.app)
    if [cursor, before, around].count(None) < 2:
        raise Rejected(Code.InvalidRequest, "Ask for one of cursor, before and around.", field="cursor")
    place = _Place(thread_id, limit, cursor, before, around)
    viewer = await get_viewer(request)
    page = await asyncio.to_thread(_read_page, services, place)
    detail = await show_thread(services, viewer, thread_id, page.records)
    messages = MessagePage(
        items=detail.messages.items,
        next_cursor=page.next_cursor,
        previous_cursor=page.previous_cursor,
        position=page.position,
    )
    return answer(request, msgspec.structs.replace(detail, messages=messages))


class _Place(NamedTuple):
    """Where a page of a thread is: at the beginning, if no other place is named."""

    thread_id: str
    limit: int
    cursor: str | None
    before: str | None
    around: str | None


class _Messages(NamedTuple):
    records: list[Record]
    previous_cursor: str | None
    next_cursor: str | None
    position: int


def _read_page(services: Services, place: _Place) -> _Messages:
    """Rejects with NotFound where the message to be shown is none of the thread's."""
    thread_id, limit = place.thread_id, place.limit
    if place.before is not None:
        records = services.records.newest_of_thread(thread_id, limit, until_seq=until_cursor(place.before))
        following = None if place.before == END else place.before
    elif place.around is not None:
        records, following = _read_around(services.records, thread_id, place.around, limit)
    else:
        records = services.records.of_thread(thread_id, after_seq=after_cursor(place.cursor), limit=limit)
        following = next_cursor([record.seq for record in records], limit)
    begins_after = records[0].seq - 1 if records else after_cursor(place.cursor)
    # The first page of a thread needs no counting.
    is_first = (place.cursor, place.before, place.around) == (None, None, None)
    position = 0 if is_first else services.records.position_in_thread(thread_id, begins_after)
    return _Messages(records, str(begins_after) if position else None, following, position)


def _read_around(
    records: RecordStore, thread_id: str, content_hash: str, limit: int
) -> tuple[list[Record], str | None]:
    target = records.by_hashes([content_hash]).get(content_hash)
    if target is None or target.thread_id != thread_id or target.status != "approved":
        raise not_found()
    older = records.newest_of_thread(thread_id, limit // 2, until_seq=target.seq - 1) if limit > 1 else []
    wanted = limit - len(older)
    newer = records.of_thread(thread_id, after_seq=target.seq - 1, limit=wanted)
    return [*older, *newer], next_cursor([record.seq for record in newer], wanted)


async def show_thread(
    services: Services, viewer: str | None, thread_id: str, records: Sequence[Record]
) -> ThreadDetail:
    """A thread with the given of its messages, as the viewer may see it. Rejects with NotFound."""
    specs, opening = await asyncio.to_thread(_load, services, thread_id)
    with services.engine.read() as state:
        thread = state.get(THREADS, thread_id)
        if thread is None:
            raise not_found()
        title = title_of(state, opening, viewer)
    shown = await show(services, viewer, [*records, *specs])
    page = MessagePage(items=[message_view(item) for item in shown[: len(records)]], next_cursor=None)
    open_specs = [spec_view(item) for item in shown[len(records) :]]
    return ThreadDetail(**_fields(thread_id, thread, title), messages=page, open_specs=open_specs)


@get("/threads")
async def list_threads(
    request: AnyRequest, cursor: Cursor = None, limit: Limit = 50, co_author: AddressQuery = None
) -> Response[Answer[Page[ThreadView]]]:
    """Threads, newest first; with ``co_author`` only those that the address belongs to."""
    services = get_services(request.app)
    viewer = await get_viewer(request)
    validate_address(co_author, "co_author")
    before_seq = before_cursor(cursor)
    rows = await asyncio.to_thread(services.projection.threads, before_seq=before_seq, limit=limit, co_author=co_author)
    openings = await asyncio.to_thread(lambda: [services.records.opening_of(thread_id) for thread_id, _ in rows])
    items: list[ThreadView] = []
    with services.engine.read() as state:
        for (thread_id, _), opening in zip(rows, openings, strict=True):
            thread = state.get(THREADS, thread_id)
            if thread is not None:
                items.append(ThreadView(**_fields(thread_id, thread, title_of(state, opening, viewer))))
    return answer(request, Page(items=items, next_cursor=next_cursor([seq for _, seq in rows], limit)))


def _load(services: Services, thread_id: str) -> tuple[list[Record], Record | None]:
    return services.records.open_specs_of(thread_id, _OPEN_SPECS), services.records.opening_of(thread_id)


def _fields(thread_id: str, thread: Thread, title: str | None) -> dict[str, Any]:
    return {
        "thread_id": thread_id,
        "title": title,
        "privacy": thread.privacy,
        "co_authors": thread.co_authors,
        "balance": str(thread.balance),
        "message_count": thread.message_count,
        "open_spec_count": thread.open_spec_count,
        "created_at_ms": thread.created_at_ms,
    }


router = Router("/", route_handlers=[get_thread, list_threads], tags=["threads"])
