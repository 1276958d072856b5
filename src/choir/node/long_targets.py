"""HTTP requests with a long target (path and query): up to 128 KiB they are read, and beyond it refused as any other.

The library that parses addresses knows 65,535 bytes, fewer than a search's query may have once it is percent-encoded.
What it would be given beyond that ended the connection with an answer outside of the API's form.
"""

from typing import Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from choir.api.targets import MAX_TARGET_BYTES, TARGET_TOO_LONG

_PARSED_BYTES: Final = 65_535


class LongTargets(HttpToolsProtocol):
    """uvicorn's protocol, but that the query of a long target does not go through the parser of addresses."""

    def on_url(self, url: bytes) -> None:
        # One byte more than may be tells that there was more; nobody fills the memory with a line without an end.
        super().on_url(url[: MAX_TARGET_BYTES + 1 - len(self.url)])

    def on_headers_complete(self) -> None:
        target = self.url
        if len(target) <= _PARSED_BYTES:
            super().on_headers_complete()
            return
        path, _, query = target.partition(b"#")[0].partition(b"?")
        if max(len(target) - MAX_TARGET_BYTES, len(path) - _PARSED_BYTES) > 0:
            self.scope["extensions"] = {TARGET_TOO_LONG: {}}
        self.url = path[:_PARSED_BYTES]
        super().on_headers_complete()
        self.url = target
        # The application is called in the next round of the event loop: it sees the query.
        self.scope["query_string"] = query
