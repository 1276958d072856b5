"""Signing in: a challenge, a real signature over it, a session token; and what only the signed-in may ask."""

import asyncio
import base64
from functools import partial

import msgspec
from litestar import Response, Router, get, post
from msgspec import Struct

from choir.api.access import is_co_author
from choir.api.answers import Answer, AnyRequest, Page, answer, not_found
from choir.api.bodies import decode_body, read_body
from choir.api.parameters import Cursor, Limit, validate_address
from choir.api.services import get_services
from choir.api.sessions import Session, SignInError
from choir.api.viewer import get_caller, get_token, require_viewer
from choir.ledger.errors import Code, Rejected
from choir.memory.audit import AuditEntry, CursorError

_CHALLENGES_PER_HOUR = 600


class ChallengeBody(Struct, frozen=True, forbid_unknown_fields=True):
    address: str


class LoginBody(Struct, frozen=True, forbid_unknown_fields=True):
    address: str
    nonce: str
    signature: str


class ChallengeView(Struct, frozen=True, kw_only=True):
    """Sign the UTF-8 bytes of ``message`` and send the signature with ``nonce``."""

    nonce: str
    message: str
    expires_at_ms: int


class SessionView(Struct, frozen=True, kw_only=True):
    """Send ``token`` as ``Authorization: Bearer TOKEN``. It is shown once."""

    address: str
    token: str
    expires_at_ms: int


class SignedOut(Struct, frozen=True, kw_only=True):
    was_signed_in: bool


class WrappedKey(Struct, frozen=True, kw_only=True):
    """A private thread's content key in a sealed box for the asker's key, base64."""

    thread_id: str
    wrapped: str


class AuditView(Struct, frozen=True, kw_only=True):
    """One access, or ``times`` equal ones within an hour. ``viewer`` is null when signed out."""

    viewer: str | None
    content_hash: str
    right: str
    is_allowed: bool
    at_ms: int
    last_at_ms: int
    times: int


_challenge_decoder = msgspec.json.Decoder(ChallengeBody)
_login_decoder = msgspec.json.Decoder(LoginBody)


@post("/auth/challenge", status_code=200)
async def ask_challenge(request: AnyRequest) -> Response[Answer[ChallengeView]]:
    """A message to sign, good for one use within five minutes."""
    body = await read_body(request, lambda raw: decode_body(raw, _challenge_decoder))
    validate_address(body.address)
    services = get_services(request.app)
    access, caller, now_ms = services.access, get_caller(request, None), services.clock_ms()
    await access.run(partial(access.limiter.use, caller, "challenge", _CHALLENGES_PER_HOUR, now_ms))
    try:
        challenge = await access.run(partial(access.sessions.challenge, body.address))
    except SignInError as error:
        raise _refusal(error) from None
    view = ChallengeView(nonce=challenge.nonce, message=challenge.message, expires_at_ms=challenge.expires_at_ms)
    return answer(request, view)


@post("/auth/login", status_code=200)
async def login(request: AnyRequest) -> Response[Answer[SessionView]]:
    """Trade a signed challenge for a session token."""
    body = await read_body(request, lambda raw: decode_body(raw, _login_decoder))
    validate_address(body.address)
    access = get_services(request.app).access

    def verify() -> Session | SignInError:
        try:
            return access.sessions.verify(body.address, body.nonce, body.signature)
        except SignInError as error:
            # Carried out instead of raised: the transaction that used the challenge up must commit.
            return error

    outcome = await access.run(verify)
    if isinstance(outcome, SignInError):
        raise _refusal(outcome)
    return answer(
        request, SessionView(address=outcome.address, token=outcome.token, expires_at_ms=outcome.expires_at_ms)
    )


@post("/auth/logout", status_code=200)
async def logout(request: AnyRequest) -> Response[Answer[SignedOut]]:
    """End the session of the token that comes with the request."""
    token = get_token(request)
    if token is None:
        raise Rejected(Code.NotSignedIn)
    access = get_services(request.app).access
    return answer(request, SignedOut(was_signed_in=await access.run(partial(access.sessions.revoke, token))))


@get("/thread/{thread_id:str}/key")
async def get_thread_key(request: AnyRequest, thread_id: str) -> Response[Answer[WrappedKey]]:
    """Co-authors only: the thread's content key, in a box that only the asker's key opens."""
    services, viewer = get_services(request.app), await require_viewer(request)
    wrapped = await asyncio.to_thread(services.records.wrapped_key, thread_id, viewer)
    if wrapped is None:
        raise not_found()
    return answer(request, WrappedKey(thread_id=thread_id, wrapped=base64.b64encode(wrapped).decode()))


@get("/thread/{thread_id:str}/audit")
async def get_audit(
    request: AnyRequest, thread_id: str, cursor: Cursor = None, limit: Limit = 50
) -> Response[Answer[Page[AuditView]]]:
    """Co-authors only: who read or tried to read what is not public in the thread, newest first."""
    services, viewer = get_services(request.app), await require_viewer(request)
    with services.engine.read() as state:
        if not is_co_author(state, viewer, thread_id):
            raise not_found()
    access = services.access
    try:
        page = await access.run(partial(access.audit.list_entries, thread_id, cursor, limit))
    except CursorError as error:
        raise Rejected(Code.InvalidRequest, f"{error}.", field="cursor") from None
    items = [_audit_view(entry) for entry in page.entries]
    return answer(request, Page(items=items, next_cursor=page.next_cursor))


def _audit_view(entry: AuditEntry) -> AuditView:
    return AuditView(
        viewer=entry.viewer,
        content_hash=entry.content_hash,
        right=entry.right,
        is_allowed=entry.allowed,
        at_ms=entry.at_ms,
        last_at_ms=entry.last_at_ms,
        times=entry.times,
    )


def _refusal(error: SignInError) -> Rejected:
    code = Code.TooManyRequests if error.reason == "too_many" else Code.SignInFailed
    return Rejected(code, f"{error}.", retry_after_ms=error.retry_after_ms)


router = Router("/", route_handlers=[ask_challenge, login, logout, get_thread_key, get_audit], tags=["sign-in"])
