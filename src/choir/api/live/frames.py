"""Frames as they go over the wire: made once, shared by every client that gets the same message.

Each message is compressed by itself (``server_no_context_takeover``), so that the compressed bytes do not depend on
what a client got before and can be shared as well.
"""

import zlib
from enum import IntEnum
from typing import Final

# What every client can inflate that did not ask for a smaller window than this.
WINDOW_BITS: Final = 12
_COMPRESSED_FROM_BYTES: Final = 256
_LEVEL: Final = 6
_MEMORY_LEVEL: Final = 5
_TEXT: Final = 0x81
_COMPRESSED_TEXT: Final = 0xC1
_SYNC_MARK_BYTES: Final = 4


class CloseCode(IntEnum):
    """Why the node closes a connection (docs/reference/websocket.md, "Close codes")."""

    GOING_AWAY = 1001
    UNSUPPORTED = 1003
    NOT_TEXT = 1007
    TOO_MANY_MESSAGES = 1008
    NODE_FAILED = 1011
    TOO_SLOW = 1013
    SESSION_ENDED = 4401
    NO_PONG = 4408


class Frame:
    """One text message, ready to be written; compressed when the first client asks for that."""

    __slots__ = ("_compressed", "_text", "plain")

    def __init__(self, text: bytes) -> None:
        self._text = text
        self.plain = _frame(_TEXT, text)
        self._compressed: bytes | None = None

    @property
    def compressed(self) -> bytes:
        """The frame with permessage-deflate; the plain one where that is no shorter."""
        if self._compressed is None:
            self._compressed = _compress(self._text, self.plain)
        return self._compressed


def _compress(text: bytes, plain: bytes) -> bytes:
    if len(text) < _COMPRESSED_FROM_BYTES:
        return plain
    deflate = zlib.compressobj(_LEVEL, wbits=-WINDOW_BITS, memLevel=_MEMORY_LEVEL)
    packed = deflate.compress(text) + deflate.flush(zlib.Z_SYNC_FLUSH)
    return _frame(_COMPRESSED_TEXT, packed[:-_SYNC_MARK_BYTES]) if len(packed) < len(text) else plain


def _frame(head: int, payload: bytes) -> bytes:
    size = len(payload)
    if size < 126:
        return bytes((head, size)) + payload
    if size < 65536:
        return bytes((head, 126)) + size.to_bytes(2, "big") + payload
    return bytes((head, 127)) + size.to_bytes(8, "big") + payload
