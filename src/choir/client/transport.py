"""HTTP with the envelope `{data, error, metadata}` taken off, and with retries of what may safely be asked again.

Asked again: reads, signed transactions (posting the same one twice is idempotent) and whatever the node put off with
429 or 503. Never: a request that may have taken effect and would do so again, and a refusal that a block holds.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from types import TracebackType
from typing import Any, Final, Self, TypeVar
from urllib.parse import quote

import aiohttp
import msgspec
from msgspec import Raw, Struct
from yarl import URL

from choir.client.errors import ApiError, NodeUnreachable, UnexpectedAnswer
from choir.client.sse import SseMessage, read_messages
from choir.ledger.blocks import Receipt

T = TypeVar("T")
# The backoff of the design (interfaces, "Clients").
RETRY_DELAYS_SECONDS: Final = (1.0, 5.0, 30.0)
# A node that asks for more patience than this gets its refusal reported instead.
LONGEST_WAIT_SECONDS: Final = 60.0
# Three of the node's heartbeats.
SILENCE_SECONDS: Final = 45.0
TRY_LATER: Final = frozenset({429, 503})
# A thread with a page of long messages, and a good deal more.
_LARGEST_FRAME_BYTES: Final = 32 * 2**20
_CLOSE_SECONDS: Final = 2.0
_DEFLATE_WINDOW_BITS: Final = 15
_NOT_ENTERED: Final = "use the client as `async with Client(…) as client`"
JSON_HEADERS: Final = {"Content-Type": "application/json"}


class _WireError(Struct, frozen=True):
    code: int
    name: str
    message: str
    field: str | None = None
    retry_after: float | None = None


class _Metadata(Struct, frozen=True):
    request_id: str | None = None


class _Envelope(Struct, frozen=True):
    data: Raw = Raw(b"null")
    error: _WireError | None = None
    metadata: _Metadata = _Metadata()


_envelope_decoder = msgspec.json.Decoder(_Envelope)


class Transport:
    """One pool of connections to one node. Raises ``ApiError``, ``NodeUnreachable`` and ``UnexpectedAnswer``."""

    def __init__(
        self,
        base_url: str,
        *,
        timeout_seconds: float,
        retry_delays_seconds: Sequence[float],
        connection_limit: int,
    ) -> None:
        self.base_url = base_url.rstrip("/")
        if not _is_http(self.base_url):
            raise ValueError(f"{base_url!r} is not the address of a node: write it like http://127.0.0.1:8420")
        self._timeout = aiohttp.ClientTimeout(total=timeout_seconds)
        self.retry_delays_seconds = retry_delays_seconds
        self._connection_limit = connection_limit
        self._session: aiohttp.ClientSession | None = None
        self.token: str | None = None

    async def __aenter__(self) -> Self:
        connector = aiohttp.TCPConnector(limit=self._connection_limit)
        self._session = aiohttp.ClientSession(connector=connector, timeout=self._timeout)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def get(self, path: str, result_type: type[T], params: Mapping[str, str | int | None] | None = None) -> T:
        """The ``data`` of a GET. Parameters that are None are left out."""
        query = {name: str(value) for name, value in (params or {}).items() if value is not None}
        return _decode(await self._ask("GET", path, query=query), result_type)

    async def post(
        self,
        path: str,
        body: bytes,
        result_type: type[T],
        *,
        query: Mapping[str, str] | None = None,
        is_idempotent: bool,
    ) -> T:
        """The ``data`` of a POST of a JSON body."""
        raw = await self._ask("POST", path, query=query, body=body, is_idempotent=is_idempotent)
        return _decode(raw, result_type)

    async def delete(self, path: str, result_type: type[T]) -> T:
        """The ``data`` of a DELETE. Not asked again: the second time there is nothing to delete."""
        return _decode(await self._ask("DELETE", path, is_idempotent=False), result_type)

    async def stream(
        self, method: str, path: str, *, body: bytes | None = None, query: Mapping[str, str] | None = None
    ) -> AsyncGenerator[SseMessage, None]:
        """The Server-Sent Events of one answer as they come. Nothing is asked again here. A silence longer than
        ``SILENCE_SECONDS`` counts as a broken connection: a node that lives sends comments."""
        patience = aiohttp.ClientTimeout(total=None, sock_connect=self._timeout.total, sock_read=SILENCE_SECONDS)
        async with self._request(method, path, query, body, accept="text/event-stream", patience=patience) as response:
            if response.content_type != "text/event-stream":
                _open_envelope(await response.read(), response.status, response.headers.get("Retry-After"))
                raise _unexpected("an answer that is no stream")
            async for message in read_messages(response.content.iter_any()):
                yield message

    async def _ask(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: bytes | None = None,
        is_idempotent: bool = True,
    ) -> Raw:
        for delay_seconds in self.retry_delays_seconds:
            try:
                return await self._ask_once(method, path, query, body)
            except UnexpectedAnswer:
                raise
            except NodeUnreachable:
                if not is_idempotent:
                    raise
                wait_seconds = delay_seconds
            except ApiError as error:
                wait_seconds = max(delay_seconds, error.retry_after_seconds or 0)
                if error.http_status not in TRY_LATER or error.receipt or wait_seconds > LONGEST_WAIT_SECONDS:
                    raise
            await asyncio.sleep(wait_seconds)
        return await self._ask_once(method, path, query, body)

    async def open_websocket(self, path: str) -> "aiohttp.ClientWebSocketResponse[bool]":
        """A WebSocket to the node. Raises ``NodeUnreachable``, also where the node puts it off."""
        if self._session is None:
            raise RuntimeError(_NOT_ENTERED)
        try:
            return await self._session.ws_connect(
                URL(f"{self.base_url}{path}", encoded=True),
                timeout=aiohttp.ClientWSTimeout(ws_close=_CLOSE_SECONDS),
                compress=_DEFLATE_WINDOW_BITS,
                max_msg_size=_LARGEST_FRAME_BYTES,
            )
        except aiohttp.WSServerHandshakeError as error:
            if error.status in TRY_LATER or error.status >= 500:
                raise NodeUnreachable(f"the node at {self.base_url} takes no connection now: try later") from error
            raise _unexpected(f"status {error.status} instead of a live connection") from error
        except (aiohttp.ClientError, TimeoutError) as error:
            raise self._unreachable(error) from error

    async def _ask_once(self, method: str, path: str, query: Mapping[str, str] | None, body: bytes | None) -> Raw:
        async with self._request(method, path, query, body) as response:
            raw = await response.read()
            return _open_envelope(raw, response.status, response.headers.get("Retry-After"))

    @asynccontextmanager
    async def _request(
        self,
        method: str,
        path: str,
        query: Mapping[str, str] | None,
        body: bytes | None,
        *,
        accept: str = "application/json",
        patience: aiohttp.ClientTimeout | None = None,
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """One request; whatever breaks while its answer is read becomes ``NodeUnreachable``."""
        if self._session is None:
            raise RuntimeError(_NOT_ENTERED)
        url = URL(f"{self.base_url}{path}", encoded=True)
        headers = {"Accept": accept} | (JSON_HEADERS if body is not None else {})
        if self.token is not None:
            headers["Authorization"] = f"Bearer {self.token}"
        try:
            async with self._session.request(
                method, url, params=query, data=body, headers=headers, timeout=patience or self._timeout
            ) as response:
                yield response
        except (aiohttp.ClientError, TimeoutError) as error:
            raise self._unreachable(error) from error

    def _unreachable(self, error: Exception) -> NodeUnreachable:
        if isinstance(error, aiohttp.ClientConnectorError):
            return NodeUnreachable(
                f"no node answers at {self.base_url}: start one with `choir up`, or name another with --node URL"
            )
        if isinstance(error, TimeoutError):
            return NodeUnreachable(
                f"the node at {self.base_url} did not answer within {self._timeout.total:g} s: "
                "see its log, then try again"
            )
        return NodeUnreachable(
            f"the connection to {self.base_url} broke ({error or type(error).__name__}): "
            "see whether the node still runs, then try again"
        )


def _open_envelope(raw: bytes, http_status: int, retry_after: str | None) -> Raw:
    try:
        envelope = _envelope_decoder.decode(raw)
    except (msgspec.DecodeError, RecursionError) as error:
        raise _unexpected(f"status {http_status}, {len(raw)} bytes that are not of its documented form") from error
    if envelope.error is not None:
        raise _to_api_error(envelope, envelope.error, http_status, retry_after)
    if http_status >= 400:
        raise _unexpected(f"status {http_status} without an error")
    return envelope.data


def _to_api_error(envelope: _Envelope, error: _WireError, http_status: int, retry_after: str | None) -> ApiError:
    wait_seconds = error.retry_after
    if wait_seconds is None and retry_after is not None and retry_after.isdecimal():
        wait_seconds = float(retry_after)
    receipt = None if bytes(envelope.data) == b"null" else _decode(envelope.data, Receipt)
    return ApiError(
        code=error.code,
        name=error.name,
        message=error.message,
        http_status=http_status,
        field=error.field,
        retry_after_seconds=wait_seconds,
        request_id=envelope.metadata.request_id,
        receipt=receipt,
    )


def _decode(raw: Raw, result_type: type[T]) -> T:
    try:
        return msgspec.json.decode(raw, type=result_type)
    except msgspec.DecodeError as error:
        raise _unexpected(str(error)) from error


def _unexpected(found: str) -> UnexpectedAnswer:
    return UnexpectedAnswer(f"what answers is not a Choir node of this version ({found}): look at --node and update")


def path_to(*segments: str | int) -> str:
    """A path of the interface; whatever stands in a segment, it stays one."""
    return "/v1/" + "/".join(quote(str(segment), safe="").replace(".", "%2E") for segment in segments)


def _is_http(url: str) -> bool:
    try:
        parsed = URL(url)
        return parsed.scheme in ("http", "https") and bool(parsed.host)
    except ValueError:
        return False


def encode_body(value: Any) -> bytes:
    """The JSON bytes of a request body."""
    return msgspec.json.encode(value)
