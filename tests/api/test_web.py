"""The web app's files: what is served under which policy, and what is left to the API."""

import gzip
from pathlib import Path
from typing import Any

import pytest
from litestar.types import Receive, Scope, Send

from choir.api.web import load_web, serve_web

PAGE = b"<!doctype html><title>Choir</title>"
SCRIPT = b"console.log(1)\n" * 50


class Reply:
    def __init__(self, messages: list[Any]) -> None:
        self.status: int = messages[0]["status"]
        self.headers = {name.decode(): value.decode() for name, value in messages[0]["headers"]}
        self.body = b"".join(message.get("body", b"") for message in messages[1:])


class Browser:
    """Asks the middleware directly, with the API behind it replaced by one answer."""

    def __init__(self, directory: Path) -> None:
        self._app = serve_web(_api, load_web(directory))

    async def get(self, path: str, method: str = "GET", **headers: str) -> Reply:
        messages: list[Any] = []

        async def send(message: Any) -> None:
            messages.append(message)

        async def receive() -> Any:
            raise AssertionError("nothing is read")

        raw = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
        scope: Any = {"type": "http", "method": method, "path": path, "headers": raw}
        await self._app(scope, receive, send)
        return Reply(messages)


async def _api(scope: Scope, receive: Receive, send: Send) -> None:
    await send({"type": "http.response.start", "status": 404, "headers": [(b"content-type", b"application/json")]})
    await send({"type": "http.response.body", "body": b'{"from": "the API"}', "more_body": False})


@pytest.fixture
def browser(tmp_path: Path) -> Browser:
    (tmp_path / "index.html").write_bytes(PAGE)
    (tmp_path / "assets").mkdir()
    (tmp_path / "assets" / "app-1a2b.js").write_bytes(SCRIPT)
    (tmp_path / "assets" / "app-1a2b.js.gz").write_bytes(gzip.compress(SCRIPT))
    (tmp_path / "favicon.svg").write_bytes(b"<svg/>")
    return Browser(tmp_path)


async def test_the_page_runs_nothing_but_the_nodes_own_scripts(browser: Browser) -> None:
    reply = await browser.get("/")
    assert (reply.status, reply.body) == (200, PAGE)
    policy = dict(part.strip().split(" ", 1) for part in reply.headers["content-security-policy"].split(";"))
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == policy["connect-src"] == "'self'"
    assert policy["frame-ancestors"] == policy["base-uri"] == "'none'"
    assert reply.headers["x-content-type-options"] == "nosniff"
    assert reply.headers["referrer-policy"] == "no-referrer"
    assert reply.headers["cache-control"] == "no-cache"


async def test_a_deep_link_answers_the_page_to_a_browser_only(browser: Browser) -> None:
    assert (await browser.get("/thread/00ff", accept="text/html,*/*")).body == PAGE
    assert (await browser.get("/thread/00ff", accept="*/*")).status == 404
    assert (await browser.get("/assets/gone.js", accept="*/*")).status == 404
    assert (await browser.get("/../secret", accept="*/*")).status == 404


@pytest.mark.parametrize("path", ["/v1/nothing", "/latest/x", "/docs", "/openapi.json", "/metrics", "/health/live"])
async def test_what_is_the_apis_stays_the_apis(browser: Browser, path: str) -> None:
    reply = await browser.get(path, accept="text/html")
    assert b"the API" in reply.body
    assert reply.headers["cache-control"] == "no-store"
    assert reply.headers["x-content-type-options"] == "nosniff"
    assert "script-src" not in reply.headers["content-security-policy"]


async def test_only_reading_is_answered(browser: Browser) -> None:
    assert (await browser.get("/", method="POST", accept="text/html")).status == 404
    reply = await browser.get("/", method="HEAD")
    assert (reply.status, reply.body, reply.headers["content-length"]) == (200, b"", str(len(PAGE)))


async def test_hashed_files_are_kept_for_ever_and_sent_compressed(browser: Browser) -> None:
    path = "/assets/app-1a2b.js"
    reply = await browser.get(path, accept_encoding="gzip, deflate, br")
    assert "immutable" in reply.headers["cache-control"]
    assert reply.headers["content-encoding"] == "gzip"
    assert gzip.decompress(reply.body) == SCRIPT
    assert reply.headers["content-type"].startswith("text/javascript")
    for refused in ("", "identity", "gzip;q=0"):
        reply = await browser.get(path, accept_encoding=refused)
        assert (reply.body, reply.headers.get("content-encoding")) == (SCRIPT, None)


async def test_an_unchanged_file_is_not_sent_again(browser: Browser) -> None:
    first = await browser.get("/favicon.svg")
    assert first.headers["content-type"] == "image/svg+xml"
    again = await browser.get("/favicon.svg", if_none_match=first.headers["etag"])
    assert (again.status, again.body) == (304, b"")
    assert (await browser.get("/favicon.svg", if_none_match='"other"')).status == 200


async def test_without_a_build_everything_is_the_apis(tmp_path: Path) -> None:
    reply = await Browser(tmp_path / "missing").get("/", accept="text/html")
    assert b"the API" in reply.body
