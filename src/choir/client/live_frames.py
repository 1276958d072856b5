"""The frames of the live connection (docs: reference, WebSocket)."""

from typing import Any, Final, TypeVar

import msgspec
from msgspec import Raw, Struct

from choir.client.errors import ApiError, UnexpectedAnswer
from choir.ledger.blocks import Receipt
from choir.ledger.errors import BY_NUMBER

PROTOCOL: Final = 1
T = TypeVar("T")


class Outgoing(Struct, frozen=True, kw_only=True):
    """A frame to the node, without the time, which is that of its sending."""

    id: str
    type: str
    payload: dict[str, Any]
    thread_id: str | None = None


class Incoming(Struct, frozen=True, kw_only=True):
    """A frame from the node, and equally an update within a ``batch``. ``id`` is that of the frame it answers."""

    type: str
    payload: Raw = Raw(b"{}")
    id: str | None = None
    thread_id: str | None = None
    seq: int | None = None


class Order(Struct, frozen=True):
    """What every update says about its place: the stream's event before it."""

    after_seq: int


class Welcome(Struct, frozen=True, kw_only=True):
    """The node presents itself; ``seq`` is its ledger's newest event, ``address`` None while signed out."""

    protocol: int
    chain_id: str
    seq: int
    address: str | None = None


class Batch(Struct, frozen=True, kw_only=True):
    updates: tuple[Incoming, ...]


class Refusal(Struct, frozen=True, kw_only=True):
    """A row of the error table."""

    code: int
    name: str
    message: str
    field: str | None = None
    retry_after: float | None = None

    def as_error(self, receipt: Receipt | None = None) -> ApiError:
        """The exception, as a request over HTTP would have raised it."""
        known = BY_NUMBER.get(self.code)
        return ApiError(
            code=self.code,
            name=self.name,
            message=self.message,
            http_status=500 if known is None else known.http_status,
            field=self.field,
            retry_after_seconds=self.retry_after,
            receipt=receipt,
        )


class Submitted(Struct, frozen=True, kw_only=True):
    tx_hash: str


class Committed(Struct, frozen=True, kw_only=True):
    """``error`` is there where the ledger refused the transaction, which a block holds all the same."""

    receipt: Receipt
    error: Refusal | None = None


_decode_frame: Final = msgspec.json.Decoder(Incoming).decode


def decode_frame(raw: bytes | str) -> Incoming:
    """A frame of the node. Raises ``UnexpectedAnswer``."""
    try:
        return _decode_frame(raw)
    except (msgspec.DecodeError, RecursionError) as error:
        raise unexpected(str(error)) from error


def decode_payload(frame: Incoming, payload_type: type[T]) -> T:
    """A frame's payload. Raises ``UnexpectedAnswer``."""
    try:
        return msgspec.json.decode(frame.payload, type=payload_type)
    except (msgspec.DecodeError, RecursionError) as error:
        raise unexpected(f"{frame.type}: {error}") from error


def unexpected(found: str) -> UnexpectedAnswer:
    """The error for what does not keep to the protocol."""
    return UnexpectedAnswer(f"what answers does not speak Choir's live protocol ({found}): look at --node and update")
