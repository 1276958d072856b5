"""Reading request bodies: strict JSON, and for everything else an error that says what is wrong."""

import asyncio
from collections.abc import Callable
from typing import Final, TypeVar

import msgspec

from choir.api.answers import AnyRequest
from choir.ledger.envelope import explain_json
from choir.ledger.errors import Code, Rejected
from choir.primitives.canonical import CanonicalError, parse_strict

T = TypeVar("T")
MAX_BODY_BYTES: Final = 1 << 20
# Explaining what is wrong with a mebibyte takes a third of a second: too long for the event loop.
LARGE_BYTES: Final = 64 << 10


async def read_body(request: AnyRequest, parse: Callable[[bytes], T]) -> T:
    """``parse`` the request's body: in place when it is small, on a thread when it is not."""
    raw = await request.body()
    if len(raw) <= LARGE_BYTES:
        return parse(raw)
    return await asyncio.to_thread(parse, raw)


def decode_body(raw: bytes, decoder: "msgspec.json.Decoder[T]") -> T:
    """The struct that ``raw`` spells. Rejects what is malformed, and keys that stand twice."""
    try:
        body = decoder.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise explain_body(raw, error) from None
    if msgspec.json.encode(body) != raw:
        # Spelled another way than we would: the decoder passes over a key that stands twice.
        try:
            parse_strict(raw)
        except (CanonicalError, RecursionError) as error:
            raise explain_body(raw, error) from None
    return body


def explain_body(raw: bytes, error: Exception) -> Rejected:
    """Why ``raw`` was refused."""
    try:
        return explain_json(raw, error)
    except RecursionError:
        return Rejected(Code.MalformedJson, "It is nested too deeply.")
