"""The messages of the WebSocket: their shapes, reading them, writing them."""

from typing import Annotated, Any, Final, TypeVar

import msgspec
from msgspec import Meta, Struct

from choir.api.bodies import decode_body
from choir.api.live.frames import Frame
from choir.ledger.errors import Code, Rejected

T = TypeVar("T")
ThreadId = Annotated[str, Meta(pattern=r"\A[0-9a-f]{32}\Z")]
Seq = Annotated[int, Meta(ge=0, le=2**53 - 1)]


class Envelope(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What a client sends. The payload stays raw: each type reads its own, and a transaction's bytes are signed."""

    id: Annotated[str, Meta(min_length=1, max_length=64)]
    type: str
    payload: msgspec.Raw = msgspec.Raw(b"{}")
    timestamp: int | None = None
    thread_id: ThreadId | None = None
    seq: Seq | None = None


class Auth(Struct, frozen=True, forbid_unknown_fields=True):
    token: str


class Subscribe(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    threads: tuple[ThreadId, ...] = ()
    account: bool = False
    from_seq: Seq | None = None


class Unsubscribe(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    threads: tuple[ThreadId, ...] = ()
    account: bool = False


class Ack(Struct, frozen=True, forbid_unknown_fields=True):
    seq: Seq


class Pong(Struct, frozen=True, forbid_unknown_fields=True):
    nonce: str


_envelopes: Final = msgspec.json.Decoder(Envelope)


def read_envelope(text: bytes) -> Envelope:
    """A client's message. Rejects what is malformed."""
    return decode_body(text, _envelopes)


def read_payload(envelope: Envelope, decoder: "msgspec.json.Decoder[T]") -> T:
    """The payload of a message. Rejects what is malformed; ``field`` is within the payload."""
    return decode_body(bytes(envelope.payload), decoder)


def unknown_type(name: str) -> Rejected:
    return Rejected(Code.InvalidRequest, f"There is no message of type {name[:40]!r}.", field="type")


def envelope_fields(message_id: str, type_name: str, payload: bytes, at_ms: int, seq: int | None = None) -> bytes:
    """The members of an envelope without its braces and its thread: what an element of a batch is made of too."""
    text = b'"id":%b,"type":"%b","payload":%b,"timestamp":%d' % (
        msgspec.json.encode(message_id),
        type_name.encode(),
        payload,
        at_ms,
    )
    return text if seq is None else b'%b,"seq":%d' % (text, seq)


def make_frame(fields: bytes, thread_id: str | None = None) -> Frame:
    """An envelope of its members, ready to be sent."""
    if thread_id is None:
        return Frame(b"{%b}" % fields)
    return Frame(b'{%b,"thread_id":"%b"}' % (fields, thread_id.encode()))


def make_message(
    message_id: str,
    type_name: str,
    payload: Any,
    at_ms: int,
    *,
    thread_id: str | None = None,
    seq: int | None = None,
) -> Frame:
    """An envelope with a payload to be encoded."""
    return make_frame(envelope_fields(message_id, type_name, msgspec.json.encode(payload), at_ms, seq), thread_id)
