"""Single messages, their proofs, and specs."""

import asyncio
from typing import Literal

import msgspec
from litestar import Response, Router, get

from choir.api.access import readable_text
from choir.api.answers import Answer, AnyRequest, Page, answer, not_found
from choir.api.cursors import before_cursor, next_cursor
from choir.api.parameters import AddressQuery, Cursor, Limit, ThreadQuery, validate_address, validate_thread_id
from choir.api.services import get_services
from choir.api.views import MessageView, SpecView, message_view, spec_view
from choir.ledger.proofs import Content, Proof
from choir.memory.records import SpecQuery

SpecStatus = Literal["open", "approved", "denied", "expired", "withdrawn"]


@get("/message/{content_hash:str}")
async def get_message(request: AnyRequest, content_hash: str) -> Response[Answer[MessageView]]:
    """One message or spec, with its text where the asker may read it."""
    services = get_services(request.app)
    record = await asyncio.to_thread(services.records.get, content_hash)
    if record is None:
        raise not_found()
    with services.engine.read() as state:
        text = readable_text(state, record, None)
    return answer(request, message_view(record, text))


@get("/message/{content_hash:str}/proof")
async def get_message_proof(request: AnyRequest, content_hash: str) -> Response[Answer[Proof]]:
    """The inclusion proof of the transaction that added a message, with its content where the asker may read it."""
    services = get_services(request.app)
    record = await asyncio.to_thread(services.records.get, content_hash)
    proof = None if record is None else await services.engine.proof(record.tx_hash)
    if record is None or proof is None:
        raise not_found()
    with services.engine.read() as state:
        text = readable_text(state, record, None)
    if text is not None and record.salt is not None:
        content = Content(author=record.author, salt=record.salt, text=text, thread_id=record.thread_id)
        proof = msgspec.structs.replace(proof, content=content)
    return answer(request, proof)


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
    with services.engine.read() as state:
        items = [spec_view(record, readable_text(state, record, None)) for record in records]
    return answer(request, Page(items=items, next_cursor=next_cursor([record.seq for record in records], limit)))


router = Router("/", route_handlers=[get_message, get_message_proof, list_specs], tags=["messages"])
