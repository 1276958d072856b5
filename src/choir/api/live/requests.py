"""What a client may ask, one function for each type of message."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import TYPE_CHECKING, Final

import msgspec
from msgspec import UNSET, Struct, UnsetType

from choir.api.answers import ErrorBody, error_body
from choir.api.bodies import LARGE_BYTES
from choir.api.errors import as_refusal
from choir.api.live import chorus
from choir.api.live.protocol import Ack, Auth, Envelope, Pong, Subscribe, Unsubscribe, read_payload, unknown_type
from choir.api.live.streams import StreamKey
from choir.api.live.welcome import welcome
from choir.api.transactions import admit, parse_submission, refusal_of, wait_for_receipt
from choir.api.views import Accepted
from choir.engine.protocol import Admission, EngineError
from choir.ledger.blocks import Receipt
from choir.ledger.envelope import CheckedTransaction
from choir.ledger.errors import Code, Rejected

if TYPE_CHECKING:
    from choir.api.live.connection import Connection

_auth = msgspec.json.Decoder(Auth)
_subscribe = msgspec.json.Decoder(Subscribe)
_unsubscribe = msgspec.json.Decoder(Unsubscribe)
_ack = msgspec.json.Decoder(Ack)
_pong = msgspec.json.Decoder(Pong)


class ReceiptPayload(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """``error`` is set where the ledger refused the transaction."""

    receipt: Receipt
    error: ErrorBody | UnsetType = UNSET


async def handle(connection: Connection, envelope: Envelope) -> None:
    """Do what a message asks. Rejects with what is to be answered."""
    handler = _HANDLERS.get(envelope.type)
    if handler is None:
        raise unknown_type(envelope.type)
    await handler(connection, envelope)


def handle_at_once(connection: Connection, envelope: Envelope) -> None:
    """What needs no waiting, and must not wait behind what does."""
    try:
        IMMEDIATE[envelope.type](connection, envelope)
    except Rejected as refusal:
        connection.send_error(refusal, envelope.id)


async def _sign_in(connection: Connection, envelope: Envelope) -> None:
    token, access = read_payload(envelope, _auth).token, connection.services.access
    while True:
        endings = access.sessions.endings
        session = await access.run(partial(access.sessions.get_open, token))
        if session is None:
            raise Rejected(Code.NotSignedIn, "The session has ended or never was.")
        if endings == access.sessions.endings:
            break  # none was ended since we looked
    if connection.viewer not in (None, session.address):
        raise Rejected(Code.AlreadySignedIn)
    connection.sign_in(session)
    connection.send("welcome", welcome(connection.hub, session.address), envelope.id)


async def _follow(connection: Connection, envelope: Envelope) -> None:
    wanted = read_payload(envelope, _subscribe)
    keys = list(dict.fromkeys(StreamKey("thread", thread_id) for thread_id in wanted.threads))
    if wanted.account:
        if connection.viewer is None:
            raise Rejected(Code.NotSignedIn)
        keys.append(StreamKey("account", connection.viewer))
    limit = connection.hub.limits.subscriptions
    if len(connection.subscriptions.keys() | set(keys)) > limit:
        raise Rejected(Code.TooManySubscriptions, f"The limit is {limit}.", field="threads")
    for key in keys:
        known = connection.subscriptions.get(key)
        if known is not None:
            connection.forget(known)
        connection.fall_behind(connection.hub.subscribe(connection, key, wanted.from_seq, envelope.id))


async def _unfollow(connection: Connection, envelope: Envelope) -> None:
    unwanted = read_payload(envelope, _unsubscribe)
    keys = [StreamKey("thread", thread_id) for thread_id in unwanted.threads]
    if unwanted.account and connection.viewer is not None:
        keys.append(StreamKey("account", connection.viewer))
    for key in keys:
        known = connection.subscriptions.get(key)
        if known is not None:
            connection.forget(known)


async def _submit(connection: Connection, envelope: Envelope) -> None:
    """Admission in turn, because a sender's nonces have an order; the receipt whenever it comes."""
    services, raw = connection.services, bytes(envelope.payload)
    parse = partial(parse_submission, raw, None)
    checked, content = parse() if len(raw) <= LARGE_BYTES else await asyncio.to_thread(parse)
    await connection.room_for_submission()
    admission = await admit(services, checked, content)
    connection.send("submitted", Accepted(tx_hash=admission.tx_hash), envelope.id)
    connection.start_submission(_finish(connection, envelope, checked, admission))


async def _finish(
    connection: Connection, envelope: Envelope, checked: CheckedTransaction, admission: Admission
) -> None:
    try:
        receipt = await wait_for_receipt(connection.services, admission)
    except Rejected as late:
        connection.send_error(late, envelope.id)
        return
    except EngineError as error:
        connection.send_error(as_refusal(error), envelope.id)
        return
    refusal = refusal_of(connection.services, checked, receipt)
    told = UNSET if refusal is None else error_body(refusal)
    connection.send("receipt", ReceiptPayload(receipt=receipt, error=told), envelope.id)


def _acknowledge(connection: Connection, envelope: Envelope) -> None:
    seq = read_payload(envelope, _ack).seq
    if envelope.thread_id is not None:
        subscription = connection.subscriptions.get(StreamKey("thread", envelope.thread_id))
    else:
        subscription = connection.subscriptions.get(StreamKey("account", connection.viewer or ""))
    if subscription is None:
        return  # unsubscribed meanwhile
    if not subscription.acknowledge(seq):
        raise Rejected(Code.InvalidRequest, "Nothing was sent with this number.", field="seq")
    connection.acknowledged(subscription)


def _answer_ping(connection: Connection, envelope: Envelope) -> None:
    connection.pong(read_payload(envelope, _pong).nonce)


_HANDLERS: Final[dict[str, Callable[[Connection, Envelope], Awaitable[None]]]] = {
    "auth": _sign_in,
    "subscribe": _follow,
    "unsubscribe": _unfollow,
    "submit": _submit,
    "chorus": chorus.ask,
    "chorus_cancel": chorus.cancel,
}
IMMEDIATE: Final[dict[str, Callable[[Connection, Envelope], None]]] = {"ack": _acknowledge, "pong": _answer_ping}
