"""The one form of every answer: ``{data, error, metadata}`` (design: interfaces, "REST")."""

import time
from collections.abc import Mapping
from typing import Any, Generic, TypeVar

import msgspec
from litestar import Request, Response
from msgspec import UNSET, Struct, UnsetType

from choir.api.services import Services, get_services
from choir.ledger.errors import Code, Rejected

T = TypeVar("T")
AnyRequest = Request[Any, Any, Any]


class ErrorBody(Struct, frozen=True, kw_only=True):
    """What went wrong. ``code`` and ``name`` never change meaning; ``retry_after`` is in seconds."""

    code: int
    name: str
    message: str
    field: str | UnsetType = UNSET
    retry_after: int | UnsetType = UNSET


class Metadata(Struct, frozen=True, kw_only=True):
    """``height`` is the newest committed block; ``took_ms`` the time spent in the node."""

    request_id: str
    height: int
    node: str
    took_ms: float


class Answer(Struct, Generic[T], frozen=True, kw_only=True):
    data: T | None
    error: ErrorBody | None
    metadata: Metadata


class Page(Struct, Generic[T], frozen=True, kw_only=True):
    """A list in parts: pass ``next_cursor`` back as ``cursor`` for the next part; null means there is none."""

    items: list[T]
    next_cursor: str | None


def answer(request: AnyRequest, data: T, status_code: int = 200) -> Response[Answer[T]]:
    """An answer that holds ``data``."""
    metadata = _metadata(get_services(request.app), request.scope["state"])
    return Response(Answer(data=data, error=None, metadata=metadata), status_code=status_code)


def refuse(
    request: AnyRequest, refusal: Rejected, data: Any = None, headers: dict[str, str] | None = None
) -> Response[Answer[Any]]:
    """An answer that says what went wrong, with the status of its code."""
    error = error_body(refusal)
    headers = dict(headers or {})
    if error.retry_after is not UNSET:
        headers["Retry-After"] = str(error.retry_after)
    # Encoded here: an error must come out as JSON whatever the route declares.
    return Response(
        encode_refusal(get_services(request.app), request.scope["state"], error, data),  # type: ignore[arg-type]
        status_code=refusal.code.http_status,
        headers=headers,
        media_type="application/json",
    )


def encode_refusal(services: Services, request_state: Mapping[str, Any], error: ErrorBody, data: Any = None) -> bytes:
    """The body of an answer with an error; ``request_state`` is what `observe` put into the request's scope."""
    return msgspec.json.encode(Answer(data=data, error=error, metadata=_metadata(services, request_state)))


def error_body(refusal: Rejected) -> ErrorBody:
    retry_after_ms = refusal.retry_after_ms
    if retry_after_ms is None and refusal.code.http_status == 503:
        retry_after_ms = 1000
    return ErrorBody(
        code=refusal.code.number,
        name=refusal.code.name,
        message=f"{refusal.code.sentence} {refusal.detail}".rstrip(),
        field=UNSET if refusal.field is None else refusal.field,
        retry_after=UNSET if retry_after_ms is None else -(-retry_after_ms // 1000),
    )


def not_found() -> Rejected:
    """The refusal of whatever does not exist or may not be seen: the same for both."""
    return Rejected(Code.NotFound)


def _metadata(services: Services, request_state: Mapping[str, Any]) -> Metadata:
    started_ns = request_state.get("started_ns", time.perf_counter_ns())
    with services.engine.read() as state:
        height = state.chain.height
    return Metadata(
        request_id=request_state.get("request_id", ""),
        height=height,
        node=services.node_name,
        took_ms=round((time.perf_counter_ns() - started_ns) / 1e6, 3),
    )
