"""The web app: its built files from memory, under a policy that lets a page run only what the node serves.

An address that is no file and no route answers the app's page: the app reads the rest of it (deep links).
"""

import mimetypes
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Final

from litestar.enums import ScopeType
from litestar.types import ASGIApp, HTTPScope, Message, Receive, Scope, Send

WEB_DIR: Final = Path(__file__).parents[1] / "web_dist"

# Not left to the machine's own table, which may lack them.
_TYPES: Final = {".js": "text/javascript", ".woff2": "font/woff2", ".webmanifest": "application/manifest+json"}
_PAGE: Final = "/index.html"
# What the API answers, whatever the app's addresses are.
_API: Final = ("/v1", "/latest", "/health", "/metrics", "/docs", "/openapi.json")
_ENCODINGS: Final = (("br", ".br"), ("gzip", ".gz"))
_IMMUTABLE: Final = b"public, max-age=31536000, immutable"
_REVALIDATE: Final = b"no-cache"
# Styles may stand in the page: the components and the typeset formulas set them on elements. Scripts may not.
_APP_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; manifest-src 'self'; worker-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)
_API_POLICY: Final = (
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
# What is public today may be private tomorrow, and nobody between the node and its reader may still have it then.
_API_CACHE: Final = (b"cache-control", b"no-store")
_EVERYWHERE: Final = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
)


@dataclass(frozen=True, slots=True)
class WebFile:
    """A built file with its compressed forms by encoding; ``etag`` names the content, whatever the encoding."""

    body: bytes
    encoded: dict[str, bytes]
    content_type: bytes
    etag: bytes
    cache_control: bytes


def load_web(directory: Path) -> dict[str, WebFile]:
    """The built files by their path (``/index.html``, ``/assets/…``); empty where the app was not built."""
    suffixes = tuple(suffix for _, suffix in _ENCODINGS)
    paths = [path for path in directory.rglob("*") if path.is_file() and path.suffix not in suffixes]
    return {f"/{path.relative_to(directory).as_posix()}": _load(path, directory) for path in sorted(paths)}


def serve_web(app: ASGIApp, files: dict[str, WebFile]) -> ASGIApp:
    """ASGI middleware: answers what belongs to the web app, and passes the rest on: with the API's policy, and to be
    stored by nobody."""

    async def wrapped(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != ScopeType.HTTP:
            await app(scope, receive, send)
            return
        file = _find(scope, files)
        if file is None:
            await app(scope, receive, _with_policy(send))
            return
        scope["path_template"] = "web"
        await _answer(scope, file, send)

    return wrapped


def _load(path: Path, directory: Path) -> WebFile:
    body = path.read_bytes()
    encoded = {
        name: compressed.read_bytes()
        for name, suffix in _ENCODINGS
        if (compressed := path.with_name(path.name + suffix)).is_file()
    }
    content_type = _TYPES.get(path.suffix) or mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    # Only what is named by its own hash can never change.
    is_hashed = path.relative_to(directory).parts[0] == "assets"
    return WebFile(
        body=body,
        encoded=encoded,
        content_type=f"{content_type}; charset=utf-8".encode()
        if content_type.startswith("text/")
        else content_type.encode(),
        etag=f'"{sha256(body).hexdigest()[:32]}"'.encode(),
        cache_control=_IMMUTABLE if is_hashed else _REVALIDATE,
    )


def _find(scope: HTTPScope, files: dict[str, WebFile]) -> WebFile | None:
    """The file that answers a request; None where it is the API's to answer."""
    path = scope["path"]
    if scope["method"] not in ("GET", "HEAD") or _is_api(path):
        return None
    if path == "/":
        return files.get(_PAGE)
    # A browser that opens a page says that it wants one. A program that asks for a missing file gets its 404.
    wants_page = b"text/html" in _header(scope, b"accept")
    return files.get(path) or (files.get(_PAGE) if wants_page else None)


def _is_api(path: str) -> bool:
    return any(path == prefix or path.startswith(f"{prefix}/") for prefix in _API)


async def _answer(scope: HTTPScope, file: WebFile, send: Send) -> None:
    headers = [
        (b"content-type", file.content_type),
        (b"cache-control", file.cache_control),
        (b"etag", file.etag),
        (b"vary", b"accept-encoding"),
        (b"content-security-policy", _APP_POLICY.encode()),
        *_EVERYWHERE,
    ]
    if file.etag in _header(scope, b"if-none-match"):
        await _send(send, 304, headers, b"")
        return
    body, encoding = _choose(file, _header(scope, b"accept-encoding"))
    if encoding:
        headers.append((b"content-encoding", encoding.encode()))
    headers.append((b"content-length", str(len(body)).encode()))
    await _send(send, 200, headers, body if scope["method"] == "GET" else b"")


def _choose(file: WebFile, accepted: bytes) -> tuple[bytes, str]:
    """The smallest form that the caller takes, and its encoding ("" for none)."""
    tokens = {token.partition(b";")[0].strip() for token in accepted.split(b",") if b"q=0" not in token.split(b";")[1:]}
    for name, body in file.encoded.items():
        if name.encode() in tokens:
            return body, name
    return file.body, ""


def _header(scope: HTTPScope, name: bytes) -> bytes:
    return b", ".join(value for given, value in scope["headers"] if given == name)


async def _send(send: Send, status: int, headers: list[tuple[bytes, bytes]], body: bytes) -> None:
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body, "more_body": False})


def _with_policy(send: Send) -> Send:
    async def send_with_policy(message: Message) -> None:
        if message["type"] == "http.response.start":
            policy = (b"content-security-policy", _API_POLICY.encode())
            message["headers"] = [*message.get("headers", []), policy, _API_CACHE, *_EVERYWHERE]
        await send(message)

    return send_with_policy
