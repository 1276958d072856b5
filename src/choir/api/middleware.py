"""Around every request: an id, the time it took, and the metrics."""

import re
import secrets
import time
from typing import Final

import structlog
from litestar.enums import ScopeType
from litestar.types import ASGIApp, HTTPScope, Message, Receive, Scope, Send
from prometheus_client import Counter, Histogram

_REQUEST_ID: Final = re.compile(rb"[A-Za-z0-9_-]{8,64}")
_REQUESTS = Counter("choir_http_requests", "Requests answered", ["method", "route", "status"])
_SECONDS = Histogram(
    "choir_http_request_seconds",
    "Time to answer",
    ["method", "route"],
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5),
)
_log = structlog.get_logger("choir.api")


def observe(app: ASGIApp) -> ASGIApp:
    """ASGI middleware. A caller's ``X-Request-Id`` is kept when it is short and plain."""

    async def wrapped(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != ScopeType.HTTP:
            await app(scope, receive, send)
            return
        started_ns = time.perf_counter_ns()
        request_id = _request_id(scope)
        scope["state"] = {"started_ns": started_ns, "request_id": request_id}
        status, answered_ns = 500, 0

        async def send_observed(message: Message) -> None:
            nonlocal status, answered_ns
            if message["type"] == "http.response.start":
                # A stream may go on for minutes: its answer has come when it begins.
                answered_ns = time.perf_counter_ns()
                status = message["status"]
                headers = list(message.get("headers", []))
                message["headers"] = [*headers, (b"x-request-id", request_id.encode())]
            await send(message)

        try:
            await app(scope, receive, send_observed)
        finally:
            _count(scope, status, (answered_ns or time.perf_counter_ns()) - started_ns, request_id)

    return wrapped


def _request_id(scope: HTTPScope) -> str:
    given = next((value for name, value in scope["headers"] if name == b"x-request-id"), b"")
    return given.decode() if _REQUEST_ID.fullmatch(given) else secrets.token_hex(8)


def _count(scope: HTTPScope, status: int, took_ns: int, request_id: str) -> None:
    # The template, not the path: a path has as many values as there are messages.
    route = scope.get("path_template", "") or "unknown"
    seconds = took_ns / 1e9
    _REQUESTS.labels(scope["method"], route, str(status)).inc()
    _SECONDS.labels(scope["method"], route).observe(seconds)
    if status >= 500:
        _log.error("request failed", route=route, status=status, request_id=request_id, seconds=round(seconds, 4))
