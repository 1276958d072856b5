"""What a page does that nobody sees: where its requests go, and what it complains about."""

import json
from urllib.parse import urlsplit

from playwright.sync_api import BrowserContext, ConsoleMessage, Dialog, Page, WebSocket

# Told to the console by every page of the context, whatever the page's policy: the policy does not bind what the
# browser itself adds.
_REPORT_VIOLATIONS = """
addEventListener("securitypolicyviolation", (event) =>
  console.error(`policy violated: ${event.violatedDirective} ${event.blockedURI} ${event.sample}`));
"""
_OF_THE_PAGE = ("data", "blob", "about")
# What Chromium itself says about an answer of 4xx, a connection that is gone, or a script that was on its way.
_NETWORK = (
    "Failed to load resource",
    "net::ERR_",
    "Failed to fetch",
    "network error response",
    "WebSocket connection",
    "Unable to preload",
)


class Watch:
    """Records one context. `check` raises when something happened that must not."""

    def __init__(self, context: BrowserContext, origin: str) -> None:
        self.requests: list[str] = []
        self.complaints: list[str] = []
        self.dialogs: list[str] = []
        # Whether the page has the state of its account, and so hears what happens to it.
        self.is_told = False
        self._host = urlsplit(origin).netloc
        self._may_fail = False
        self._is_over = False
        self._context = context
        context.add_init_script(_REPORT_VIOLATIONS)
        context.on("request", lambda request: self.requests.append(request.url))
        context.on("console", self._hear)
        context.on("dialog", self._close)
        context.on("weberror", lambda error: self._complain(f"uncaught: {error.error}"))
        context.on("page", self._follow)

    def allow_failed_requests(self) -> None:
        """For stories in which the node refuses or is gone: Chromium tells the console about each such request."""
        self._may_fail = True

    def end(self) -> None:
        """Hear nothing more: what is under way when the browser is closed breaks off, and that is nobody's fault."""
        for page in self._context.pages:
            # The answer comes after everything that the page has said so far.
            page.evaluate("0")
        self._is_over = True

    def foreign_requests(self) -> list[str]:
        """Requests that left the node's origin."""
        return [url for url in self.requests if not self._is_own(url)]

    def check(self) -> None:
        for found in (self.foreign_requests(), self.dialogs, self.complaints):
            assert not found, "\n".join(found)

    def _is_own(self, url: str) -> bool:
        parts = urlsplit(url)
        return parts.scheme in _OF_THE_PAGE or parts.netloc == self._host

    def _follow(self, page: Page) -> None:
        page.on("websocket", self._follow_socket)

    def _follow_socket(self, socket: WebSocket) -> None:
        self.requests.append(socket.url)
        socket.on("framereceived", self._receive)

    def _receive(self, raw: str | bytes) -> None:
        frame = json.loads(raw)
        if frame["type"] == "state_sync" and "thread_id" not in frame:
            self.is_told = True

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self._complain(f"{message.text} ({message.location.get('url', '')})")

    def _complain(self, words: str) -> None:
        if self._is_over or (self._may_fail and any(said in words for said in _NETWORK)):
            return
        self.complaints.append(words)

    def _close(self, dialog: Dialog) -> None:
        self.dialogs.append(f"{dialog.type}: {dialog.message}")
        dialog.dismiss()
