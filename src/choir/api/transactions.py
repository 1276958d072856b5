"""Submitting signed transactions, and proving what became of them."""

import asyncio
import sqlite3
from typing import Annotated, Any, Literal

import msgspec
import structlog
from litestar import Response, Router, get, post
from litestar.params import Parameter
from msgspec import Struct

from choir.api.answers import Answer, AnyRequest, answer, not_found, refuse
from choir.api.bodies import decode_body, explain_body, read_body
from choir.api.services import Services, get_services
from choir.api.views import Accepted
from choir.engine.protocol import Admission, Prepare
from choir.ledger.blocks import Receipt
from choir.ledger.entities import THREADS
from choir.ledger.envelope import CheckedTransaction, parse_transaction
from choir.ledger.errors import BY_NUMBER, OK_CODE, Code, Rejected, reject
from choir.ledger.proofs import Proof
from choir.ledger.transactions import (
    Body,
    CreateThread,
    Divest,
    PostMessage,
    ProcessApproval,
    SubmitSpec,
    Transaction,
    Transfer,
)
from choir.memory.privacy import Level
from choir.memory.records import NewContent
from choir.memory.text import TextError, check_text, content_hash

_log = structlog.get_logger("choir.api")
_FINAL_TIMEOUT_SECONDS = 30
_HOUR_MS = 3_600_000
_TEXT_CODES = {
    "empty": Code.TextEmpty,
    "blank": Code.TextEmpty,
    "invisible": Code.TextEmpty,
    "too_large": Code.TextTooLong,
    "surrogate": Code.InvalidUnicode,
    "salt": Code.InvalidField,
}

Wait = Annotated[
    Literal["admitted", "final"], Parameter(description="answer at admission, or with the receipt once committed")
]


class ContentBody(Struct, frozen=True, forbid_unknown_fields=True):
    salt: str
    text: str


class SubmitBody(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """The transaction stays raw: it is parsed apart, so that each kind of bad input gets its own error."""

    tx: msgspec.Raw
    content: ContentBody | None = None


class CommittedView(Struct, frozen=True, kw_only=True):
    transaction: Transaction | None
    receipt: Receipt


_body_decoder = msgspec.json.Decoder(SubmitBody)


async def submit(request: AnyRequest, allowed: tuple[type[Body], ...] | None, wait: str) -> Response[Answer[Any]]:
    """The one road in: parse, check the content, keep it pending once the signature is known to be good, admit; then
    answer now or with the receipt."""
    services = get_services(request.app)
    checked, content = await read_body(request, lambda raw: parse_submission(raw, allowed))
    admission = await admit(services, checked, content)
    if wait == "admitted":
        return answer(request, Accepted(tx_hash=admission.tx_hash), status_code=202)
    receipt = await wait_for_receipt(services, admission)
    refusal = refusal_of(services, checked, receipt)
    return answer(request, receipt) if refusal is None else refuse(request, refusal, data=receipt)


async def admit(services: Services, checked: CheckedTransaction, content: ContentBody | None) -> Admission:
    """Check the content and admit the transaction. Rejects what the engine or the content's rules refuse."""
    prepare = None if content is None else _store(services, check_content(services, checked, content))
    return await services.engine.submit(checked, prepare)


def _store(services: Services, content: NewContent) -> Prepare:
    async def store() -> None:
        try:
            await services.records.store_pending(content)
        except sqlite3.Error as error:
            _log.error("content could not be kept", reason=str(error))
            reject(Code.NotReady, "The content could not be kept and nothing was changed: the node's disk may be full.")

    return store


def parse_submission(
    raw: bytes, allowed: tuple[type[Body], ...] | None
) -> tuple[CheckedTransaction, ContentBody | None]:
    """Split a request body into its transaction and content. Rejects malformed ones."""
    body = decode_body(raw, _body_decoder)
    raw_transaction = bytes(body.tx)
    try:
        checked = parse_transaction(raw_transaction)
    except (UnicodeDecodeError, RecursionError) as error:
        raise explain_body(raw_transaction, error) from None
    body_type = type(checked.transaction.body) if checked.transaction is not None else None
    if allowed is not None and body_type not in allowed:
        reject(Code.WrongType, f"It takes {' or '.join(t.__name__ for t in allowed)}.", field="tx.body.type")
    adds_message = body_type in (PostMessage, SubmitSpec)
    if adds_message and body.content is None:
        reject(Code.ContentMissing, field="content")
    if not adds_message and body.content is not None:
        reject(Code.ContentUnexpected, field="content")
    return checked, body.content


def check_content(services: Services, checked: CheckedTransaction, content: ContentBody) -> NewContent:
    """Check the text, and that it hashes to what the transaction says."""
    transaction = checked.transaction
    if transaction is None or not isinstance(transaction.body, PostMessage | SubmitSpec):
        raise Rejected(Code.ContentUnexpected)
    body = transaction.body
    try:
        check_text(content.text)
        found = content_hash(transaction.sender, content.salt, content.text, body.thread_id)
    except TextError as error:
        raise Rejected(_TEXT_CODES.get(error.reason, Code.TextInvalid), f"{error}.", field="content") from None
    if found != body.content_hash:
        reject(Code.ContentMismatch, f"It hashes to {found}.", field="content")
    return NewContent(
        content_hash=found,
        thread_id=body.thread_id,
        author=transaction.sender,
        salt=content.salt,
        text=content.text,
        privacy=body.privacy or _thread_level(services, body.thread_id),
        received_at_ms=services.clock_ms(),
    )


def _thread_level(services: Services, thread_id: str) -> str:
    """The level that a message without one gets. A thread not committed yet might be private, so it counts as such."""
    with services.engine.read() as state:
        thread = state.get(THREADS, thread_id)
    return Level.THREAD if thread is None else str(thread.privacy)


async def wait_for_receipt(services: Services, admission: Admission) -> Receipt:
    """The receipt, once committed and visible to reads. Rejects with NotReady when it takes too long."""
    try:
        async with asyncio.timeout(_FINAL_TIMEOUT_SECONDS):
            receipt = await asyncio.shield(admission.receipt)
            await services.follower.caught_up()
    except TimeoutError:
        reject(Code.NotReady, f"Admitted, not yet committed: ask for /v1/tx/{admission.tx_hash} later.")
    return receipt


def refusal_of(services: Services, checked: CheckedTransaction, receipt: Receipt) -> Rejected | None:
    """A receipt's refusal as an error, None where the transaction took effect. A rate limit says when to come back:
    after the time in which it lets one more through, which is as long as it can be."""
    if receipt.code == OK_CODE:
        return None
    code = BY_NUMBER[receipt.code]
    retry_after_ms = None
    if code is Code.RateLimited and checked.transaction is not None:
        with services.engine.read() as state:
            is_thread = isinstance(checked.transaction.body, CreateThread)
            per_hour = state.params.threads_per_hour if is_thread else state.params.messages_per_hour
        retry_after_ms = _HOUR_MS // per_hour
    return Rejected(code, receipt.detail, retry_after_ms=retry_after_ms)


@post("/tx", status_code=200)
async def submit_any(request: AnyRequest, wait: Wait = "admitted") -> Response[Answer[Receipt]]:
    """Submit any signed transaction, with the content of the message it adds."""
    return await submit(request, None, wait)


@post("/thread/create", status_code=200)
async def create_thread(request: AnyRequest, wait: Wait = "admitted") -> Response[Answer[Receipt]]:
    """Submit a ``create_thread``."""
    return await submit(request, (CreateThread,), wait)


@post("/message/submit", status_code=200)
async def submit_message(request: AnyRequest, wait: Wait = "admitted") -> Response[Answer[Receipt]]:
    """Submit a co-author's ``post_message`` or an outsider's ``submit_spec``."""
    return await submit(request, (PostMessage, SubmitSpec), wait)


@post("/spec/approve", status_code=200)
async def approve_spec(request: AnyRequest, wait: Wait = "admitted") -> Response[Answer[Receipt]]:
    """Submit a ``process_approval``: a vote for or against."""
    return await submit(request, (ProcessApproval,), wait)


@post("/token/divest", status_code=200)
async def divest(request: AnyRequest, wait: Wait = "admitted") -> Response[Answer[Receipt]]:
    """Submit a ``divest``."""
    return await submit(request, (Divest,), wait)


@post("/token/transfer", status_code=200)
async def transfer(request: AnyRequest, wait: Wait = "admitted") -> Response[Answer[Receipt]]:
    """Submit a ``transfer``."""
    return await submit(request, (Transfer,), wait)


@get("/tx/{tx_hash:str}")
async def get_transaction(request: AnyRequest, tx_hash: str) -> Response[Answer[CommittedView]]:
    """A committed transaction and its receipt."""
    found = await get_services(request.app).engine.transaction(tx_hash)
    if found is None:
        raise not_found()
    return answer(request, CommittedView(transaction=found.transaction, receipt=found.receipt))


@get("/proof/{tx_hash:str}")
async def get_proof(request: AnyRequest, tx_hash: str) -> Response[Answer[Proof]]:
    """The inclusion proof of a committed transaction: check it offline with `choir verify`."""
    proof = await get_services(request.app).engine.proof(tx_hash)
    if proof is None:
        raise not_found()
    return answer(request, proof)


router = Router(
    "/",
    route_handlers=[
        submit_any,
        create_thread,
        submit_message,
        approve_spec,
        divest,
        transfer,
        get_transaction,
        get_proof,
    ],
    tags=["transactions"],
)
