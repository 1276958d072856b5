"""One WebSocket as the HTTP server hands it over: handshake, frames, back-pressure, closing.

Frames are parsed by the `websockets` library's protocol. What is sent is written straight to the transport, since
`choir.api.live.frames` has made the bytes that many sockets share.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import time
from typing import TYPE_CHECKING, Any, Final, cast

from websockets.extensions.permessage_deflate import PerMessageDeflate, ServerPerMessageDeflateFactory
from websockets.frames import Frame as WireFrame
from websockets.frames import Opcode
from websockets.http11 import Request
from websockets.protocol import SEND_EOF, State
from websockets.server import ServerProtocol

from choir.api.live.connection import Connection
from choir.api.live.frames import WINDOW_BITS, CloseCode, Frame
from choir.api.live.metrics import CLOSES
from choir.api.live.origin import validate_origin
from choir.api.live.welcome import welcome
from choir.ledger.errors import Code, Rejected

if TYPE_CHECKING:
    from choir.api.live.hub import LiveHub

PATHS: Final = ("/v1/ws", "/latest/ws")
_CLOSING_SECONDS: Final = 5.0
_STOPPING_SECONDS: Final = 0.05
_KERNEL_BUFFER_BYTES: Final = 256 << 10
# Each message by itself, both ways: no window has to be kept in memory while nothing is sent.
_DEFLATE: Final = ServerPerMessageDeflateFactory(server_no_context_takeover=True, client_no_context_takeover=True)
# Nothing of the library's own at level info: it would log every client.
_quiet: Final = logging.getLogger("choir.live.wire")
_quiet.setLevel(logging.ERROR)


class LiveSocket(asyncio.Protocol):
    """A connection from its handshake to its end."""

    def __init__(self, hub: LiveHub, *, server_state: Any, **_: Any) -> None:
        """Made by the HTTP server, whose ``server_state.connections`` it waits for when it stops."""
        self._hub = hub
        self._open_sockets: set[Any] = server_state.connections
        self._wire = ServerProtocol(
            extensions=[
                ServerPerMessageDeflateFactory(server_no_context_takeover=True, client_no_context_takeover=True)
            ],
            max_size=hub.limits.frame_bytes,
            logger=_quiet,
        )
        self._transport: asyncio.Transport = cast(asyncio.Transport, None)
        self._connection: Connection | None = None
        self._parts: list[bytes] = []
        self._compresses = False
        self._is_closing = False
        self._is_reading_paused = False
        self._drained: asyncio.Event | None = None
        self.paused_at: float | None = None

    # Called by the transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._open_sockets.add(self)

    def data_received(self, data: bytes) -> None:
        self._wire.receive_data(data)
        for event in self._wire.events_received():
            if isinstance(event, Request):
                self._shake_hands(event)
            else:
                self._take(cast(WireFrame, event))
        self._flush()
        if self._wire.parser_exc is not None and not self._is_closing:
            self._count_close(self._wire.close_sent.code if self._wire.close_sent else CloseCode.NODE_FAILED)
            self._end_soon()

    def eof_received(self) -> bool:
        return False

    def pause_writing(self) -> None:
        self.paused_at = time.monotonic()

    def resume_writing(self) -> None:
        self.paused_at = None
        if self._drained is not None:
            self._drained.set()
            self._drained = None

    def connection_lost(self, _error: Exception | None) -> None:
        self._is_closing = True
        self._open_sockets.discard(self)
        if self._connection is not None:
            self._connection.lost()
            self._connection = None

    # Called by the HTTP server

    def shutdown(self) -> None:
        """The node stops: say so, and do not wait for those who do not listen."""
        if self._connection is not None and not self._is_closing:
            self._connection.close(CloseCode.GOING_AWAY, "the node is stopping")
        self._transport.close()
        asyncio.get_running_loop().call_later(_STOPPING_SECONDS, self._transport.abort)

    # Called by the connection

    def write(self, frame: Frame) -> None:
        """Nothing once the line is being closed: who is told of many at a time cannot know it yet."""
        if self._wire.state is not State.OPEN:
            return
        self._transport.write(frame.compressed if self._compresses else frame.plain)

    async def writable(self) -> None:
        while self.paused_at is not None:
            if self._drained is None:
                self._drained = asyncio.Event()
            await self._drained.wait()

    def pause_reading(self) -> None:
        if not self._is_reading_paused:
            self._is_reading_paused = True
            self._transport.pause_reading()

    def resume_reading(self) -> None:
        if self._is_reading_paused and not self._transport.is_closing():
            self._is_reading_paused = False
            self._transport.resume_reading()

    def close(self, code: CloseCode, reason: str) -> None:
        """Send a close frame, and cut the line when the client does not close it soon."""
        if self._is_closing:
            return
        self._count_close(code)
        if self._wire.state is State.OPEN:
            self._wire.send_close(code, reason)
            self._flush()
        self._end_soon()

    # Handshake

    def _shake_hands(self, request: Request) -> None:
        try:
            self._admit(request)
        except Rejected as refusal:
            text = f"{refusal.code.name}: {refusal.code.sentence} {refusal.detail}".rstrip()
            self._wire.send_response(self._wire.reject(refusal.code.http_status, f"{text}\n"))
            self._flush()
            self._is_closing = True
            self._transport.close()
            return
        response = self._wire.accept(request)
        self._wire.send_response(response)
        self._flush()
        if self._wire.state is not State.OPEN:
            self._is_closing = True
            self._transport.close()
            return
        self._begin()

    def _admit(self, request: Request) -> None:
        if request.path.partition("?")[0] not in PATHS:
            raise Rejected(Code.NotFound)
        validate_origin(request.headers.get_all("Origin"), request.headers.get_all("Host"), self._hub.domain)
        if not self._hub.is_running:
            raise Rejected(Code.NotReady)
        if len(self._hub.connections) >= self._hub.limits.connections:
            raise Rejected(Code.NotReady, "The node has as many connections as it takes.")

    def _begin(self) -> None:
        self._compresses = any(
            isinstance(extension, PerMessageDeflate) and extension.local_max_window_bits >= WINDOW_BITS
            for extension in self._wire.extensions
        )
        waiting_bytes = self._hub.limits.waiting_bytes
        self._transport.set_write_buffer_limits(high=waiting_bytes, low=waiting_bytes // 4)
        line: socket.socket | None = self._transport.get_extra_info("socket")
        if line is not None:
            # Otherwise the kernel takes in megabytes for a client that does not read.
            line.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _KERNEL_BUFFER_BYTES)
        self._connection = Connection(self._hub, self)
        self._hub.join(self._connection)
        self._connection.send("welcome", welcome(self._hub, None))

    # Frames

    def _take(self, frame: WireFrame) -> None:
        if frame.opcode is Opcode.CLOSE:
            # The client's own, or its answer to ours: the line is not needed any more.
            self._is_closing = True
            self._flush()
            self._transport.close()
        elif self._is_closing:
            return
        elif frame.opcode is Opcode.TEXT or frame.opcode is Opcode.CONT:
            self._parts.append(bytes(frame.data))
            if frame.fin:
                text, self._parts = b"".join(self._parts), []
                self._receive(text)
        elif frame.opcode is Opcode.BINARY:
            self._close_connection(CloseCode.UNSUPPORTED, "messages are JSON texts")

    def _receive(self, text: bytes) -> None:
        try:
            text.decode()
        except UnicodeDecodeError:
            self._close_connection(CloseCode.NOT_TEXT, "a text is not UTF-8")
            return
        if self._connection is not None:
            self._connection.receive(text)

    def _close_connection(self, code: CloseCode, reason: str) -> None:
        if self._connection is not None:
            self._connection.close(code, reason)

    # Writing and ending

    def _flush(self) -> None:
        chunks = self._wire.data_to_send()
        data = b"".join(chunks)
        if data and not self._transport.is_closing():
            self._transport.write(data)
            if SEND_EOF in chunks and self._transport.can_write_eof():
                self._transport.write_eof()

    def _count_close(self, code: int) -> None:
        CLOSES.labels(str(int(code))).inc()

    def _end_soon(self) -> None:
        self._is_closing = True
        self.resume_reading()
        if self._connection is not None:
            self._connection.lost()
        asyncio.get_running_loop().call_later(_CLOSING_SECONDS, self._transport.abort)
