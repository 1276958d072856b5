"""Single messages, their proofs, and specs."""

import asyncio
from typing import Literal

import msgspec
from litestar import Response, Router, get
from msgspec import Struct

from choir.api.access import Shown, closed_threads, show, show_one
from choir.api.answers import Answer, AnyRequest, Page, answer, not_found
from choir.api.cursors import after_cursor, before_cursor, next_cursor
from choir.api.parameters import AddressQuery, Cursor, Limit, ThreadQuery, validate_address, validate_thread_id
from choir.api.services import get_services
from choir.api.viewer import get_viewer
from choir.api.views import MessageView, SpecView, message_view, spec_view
from choir.ledger.proofs import Content, Proof
from choir.memory.privacy import View
from choir.memory.records import CitationLink, SpecQuery


class CitationView(Struct, frozen=True, kw_only=True):
    """One end of a citation, and what binds the two messages (design: memory, "Semantic quantities")."""

    message: MessageView
    resonance: float | None
    phase: float | None
    entanglement: float | None


class Citations(Struct, frozen=True, kw_only=True):
    priors: list[CitationView]
    cited_by: Page[CitationView]


SpecStatus = Literal["open", "approved", "denied", "expired", "withdrawn"]


@get("/message/{content_hash:str}")
async def get_message(request: AnyRequest, content_hash: str) -> Response[Answer[MessageView]]:
    """One message or spec, with its text where the asker may read it."""
    services = get_services(request.app)
    record = await asyncio.to_thread(services.records.get, content_hash)
    if record is None:
        raise not_found()
    return answer(request, message_view(await show_one(services, await get_viewer(request), record)))


@get("/message/{content_hash:str}/proof")
async def get_message_proof(request: AnyRequest, content_hash: str) -> Response[Answer[Proof]]:
    """The inclusion proof of the transaction that added a message, with its content where the asker may read it."""
    services = get_services(request.app)
    record = await asyncio.to_thread(services.records.get, content_hash)
    proof = None if record is None else await services.engine.proof(record.tx_hash)
    if record is None or proof is None:
        raise not_found()
    shown = await show_one(services, await get_viewer(request), record)
    if shown.text is not None and record.salt is not None:
        content = Content(author=record.author, salt=record.salt, text=shown.text, thread_id=record.thread_id)
        proof = msgspec.structs.replace(proof, content=content)
    return answer(request, proof)


@get("/message/{content_hash:str}/citations")
async def get_citations(
    request: AnyRequest, content_hash: str, cursor: Cursor = None, limit: Limit = 50
) -> Response[Answer[Citations]]:
    """What a message cites, and what cites it, oldest first, each as far as the asker may see it."""
    services = get_services(request.app)
    after_seq, viewer = after_cursor(cursor), await get_viewer(request)
    record = await asyncio.to_thread(services.records.get, content_hash)
    if record is None:
        raise not_found()
    links = await asyncio.to_thread(services.records.citations_of, record)
    citing = await asyncio.to_thread(services.records.cited_by, content_hash, after_seq=after_seq, limit=limit)
    all_links = [*links, *citing]
    shown = await show(services, viewer, [link.record for link in all_links])
    may_read = (await show_one(services, viewer, record)).view is View.FULL
    threads = [record.thread_id] * len(links) + [link.record.thread_id for link in citing]
    closed = await closed_threads(services, viewer, threads)
    views = [
        _citation_view(link, item, may_read, thread_id not in closed)
        for link, item, thread_id in zip(all_links, shown, threads, strict=True)
    ]
    page = Page(items=views[len(links) :], next_cursor=next_cursor([link.seq for link in citing], limit))
    return answer(request, Citations(priors=views[: len(links)], cited_by=page))


def _citation_view(link: CitationLink, shown: Shown, may_read: bool, is_centroid_open: bool) -> CitationView:
    """``is_centroid_open``: the asker may read everything in the thread of the citing message."""
    # The quantities are computed from both texts: whoever may not read both learns nothing from them.
    is_open = may_read and shown.view is View.FULL
    return CitationView(
        message=message_view(shown),
        resonance=link.resonance if is_open else None,
        phase=link.phase if is_open and is_centroid_open else None,
        entanglement=link.entanglement if is_open else None,
    )


@get("/specs")
async def list_specs(
    request: AnyRequest,
    cursor: Cursor = None,
    limit: Limit = 50,
    voter: AddressQuery = None,
    author: AddressQuery = None,
    thread_id: ThreadQuery = None,
    status: SpecStatus | None = None,
) -> Response[Answer[Page[SpecView]]]:
    """Specs, newest first: what awaits a voter, what an author submitted, what a thread was offered."""
    services = get_services(request.app)
    validate_address(voter, "voter")
    validate_address(author, "author")
    validate_thread_id(thread_id)
    query = SpecQuery(before_cursor(cursor), limit, voter, author, thread_id, status)
    records = await asyncio.to_thread(services.records.specs, query)
    items = [spec_view(shown) for shown in await show(services, await get_viewer(request), records)]
    return answer(request, Page(items=items, next_cursor=next_cursor([record.seq for record in records], limit)))


router = Router("/", route_handlers=[get_message, get_message_proof, get_citations, list_specs], tags=["messages"])
