"""Which web pages may open a connection (docs/reference/websocket.md, "Browsers")."""

from collections.abc import Sequence
from ipaddress import ip_address
from urllib.parse import urlsplit

from choir.ledger.errors import Code, Rejected


def validate_origin(origins: Sequence[str], hosts: Sequence[str], domain: str) -> None:
    """Rejects a browser's page that is not the node's own.

    ``origins`` and ``hosts`` are the values of the two headers; only browsers send an origin. Its host must be the
    ``domain`` that the node is configured with, or the host of the request where that is no name which somebody's DNS
    could point here.
    """
    if not origins:
        return
    pages = {_host_of(origin) for origin in origins}
    asked = {_host_of(f"//{host}") for host in hosts}
    page = pages.pop()
    is_own = page == _host_of(f"//{domain}") or ({page} == asked and _cannot_be_rebound(page or ""))
    if pages or page is None or not is_own:
        raise Rejected(Code.NotPermitted, "The page is of another site; the node's name is its setting `domain`.")


def _host_of(address: str) -> str | None:
    try:
        return urlsplit(address).hostname
    except ValueError:
        return None


def _cannot_be_rebound(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        ip_address(host)
    except ValueError:
        return False
    return True
