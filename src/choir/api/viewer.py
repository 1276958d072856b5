"""Who asks: the address behind a request's session token, or nobody."""

from choir.api.answers import AnyRequest
from choir.api.services import get_services
from choir.ledger.errors import Code, Rejected


async def get_viewer(request: AnyRequest) -> str | None:
    """The signed-in address, or None without a token. Rejects a token that is not (or no longer) valid."""
    token = get_token(request)
    if token is None:
        return None
    access = get_services(request.app).access
    address = await access.run(lambda: access.sessions.get_address(token))
    if address is None:
        raise Rejected(Code.NotSignedIn, "The session has ended or never was.")
    return address


async def require_viewer(request: AnyRequest) -> str:
    """The signed-in address. Rejects with NotSignedIn without one."""
    viewer = await get_viewer(request)
    if viewer is None:
        raise Rejected(Code.NotSignedIn)
    return viewer


def get_token(request: AnyRequest) -> str | None:
    """The bearer token of the request."""
    header = request.headers.get("authorization")
    if header is None:
        return None
    scheme, _, token = header.partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise Rejected(Code.NotSignedIn, "The Authorization header is not `Bearer TOKEN`.")
    return token.strip()


def get_caller(request: AnyRequest, viewer: str | None) -> str:
    """Whom limits count for: the account, or the network address when signed out."""
    if viewer is not None:
        return viewer
    return request.client.host if request.client else "unknown"
