"""Every exception becomes an answer, in one place."""

from typing import Any

import structlog
from litestar import Response
from litestar.exceptions import HTTPException, ValidationException

from choir.api.answers import AnyRequest, refuse
from choir.engine.protocol import EngineError
from choir.ledger.errors import Code, Rejected
from choir.memory.memory import SearchUnavailable
from choir.memory.search import QueryError

_log = structlog.get_logger("choir.api")
_BY_STATUS = {
    401: Code.NotSignedIn,
    403: Code.NotPermitted,
    404: Code.NotFound,
    405: Code.MethodNotAllowed,
    413: Code.BodyTooLarge,
    429: Code.TooManyRequests,
    503: Code.NotReady,
}


def handle_rejected(request: AnyRequest, error: Rejected) -> Response[Any]:
    return refuse(request, error)


def handle_http(request: AnyRequest, error: HTTPException) -> Response[Any]:
    """The framework's own refusals: routing, sizes, parameters."""
    if isinstance(error, ValidationException):
        return refuse(request, _explain_parameters(error))
    code = _BY_STATUS.get(error.status_code)
    if code is not None:
        allow = {name: value for name, value in (error.headers or {}).items() if name.lower() == "allow"}
        return refuse(request, Rejected(code), headers=allow)
    if error.status_code < 500:
        return refuse(request, Rejected(Code.InvalidRequest, str(error.detail)))
    return handle_unexpected(request, error)


def as_refusal(error: EngineError | SearchUnavailable | QueryError) -> Rejected:
    """What the parts behind the API raise when they refuse, by its code."""
    if isinstance(error, QueryError):
        return Rejected(Code.QueryInvalid, f"{error}.")
    return Rejected(Code.NotReady, f"{error}.")


def handle_refused(request: AnyRequest, error: EngineError | SearchUnavailable | QueryError) -> Response[Any]:
    return refuse(request, as_refusal(error))


def handle_unexpected(request: AnyRequest, error: Exception) -> Response[Any]:
    """Our fault: the log has the trace under the request id, the caller gets the id."""
    _log.error("unexpected error", request_id=request.scope["state"].get("request_id"), exc_info=error)
    return refuse(request, Rejected(Code.InternalError))


def _explain_parameters(error: ValidationException) -> Rejected:
    extra: Any = error.extra
    first = extra[0] if isinstance(extra, list) and extra else {}
    return Rejected(Code.InvalidRequest, first.get("message", ""), field=first.get("key"))


EXCEPTION_HANDLERS: dict[int | type[Exception], Any] = {
    Rejected: handle_rejected,
    EngineError: handle_refused,
    SearchUnavailable: handle_refused,
    QueryError: handle_refused,
    HTTPException: handle_http,
    Exception: handle_unexpected,
}
