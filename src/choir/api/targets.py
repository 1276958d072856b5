"""Requests whose target (path and query) is longer than a node reads."""

from typing import Final

from litestar.enums import ScopeType
from litestar.types import ASGIApp, Receive, Scope, Send

from choir.api.answers import encode_refusal, error_body
from choir.api.services import Services
from choir.ledger.errors import Code, Rejected

# 8,192 characters of any script, percent-encoded, with every other parameter of a search.
MAX_TARGET_BYTES: Final = 128 << 10
# What the server says in the scope's extensions of a request whose target it did not read to its end.
TARGET_TOO_LONG: Final = "choir.target_too_long"


def refuse_long_targets(app: ASGIApp, services: Services) -> ASGIApp:
    """ASGI middleware around the API: such a request reaches no route."""

    async def wrapped(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != ScopeType.HTTP or TARGET_TOO_LONG not in (scope.get("extensions") or {}):
            await app(scope, receive, send)
            return
        refusal = Rejected(Code.TargetTooLong)
        body = encode_refusal(services, scope["state"], error_body(refusal))
        headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": refusal.code.http_status, "headers": headers})
        await send({"type": "http.response.body", "body": body, "more_body": False})

    return wrapped
