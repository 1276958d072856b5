"""Server-Sent Events out of the bytes of an answer (WHATWG HTML, "Server-sent events"), with bounded memory."""

import re
from collections.abc import AsyncIterator
from typing import Final, NamedTuple

from choir.client.errors import UnexpectedAnswer

LARGEST_MESSAGE_BYTES: Final = 8 << 20
_LINE_END: Final = re.compile(rb"\r\n|\n|\r(?!\Z)")


class SseMessage(NamedTuple):
    """``event`` is ``message`` where the stream does not say; ``id`` is None where this message has none."""

    event: str
    data: bytes
    id: str | None


async def read_messages(chunks: AsyncIterator[bytes]) -> AsyncIterator[SseMessage]:
    """The messages of a stream in order. One that the end cuts off is dropped; comments are passed over. Raises
    ``UnexpectedAnswer`` for a message that does not end."""
    waiting, fields = b"", _Fields()
    async for chunk in chunks:
        waiting += chunk
        *lines, waiting = _LINE_END.split(waiting)
        for line in lines:
            if line:
                fields.take(line)
            elif (message := fields.finish()) is not None:
                yield message
        if len(waiting) + fields.size_bytes > LARGEST_MESSAGE_BYTES:
            raise UnexpectedAnswer(f"the node sends a message of more than {LARGEST_MESSAGE_BYTES >> 20} MiB")


class _Fields:
    """The lines of one message so far."""

    def __init__(self) -> None:
        self._event = ""
        self._data: list[bytes] = []
        self._id: str | None = None
        self.size_bytes = 0

    def take(self, line: bytes) -> None:
        name, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        self.size_bytes += len(line)
        if name == b"data":
            self._data.append(value)
        elif name == b"event":
            self._event = value.decode("utf-8", "replace")
        elif name == b"id" and b"\0" not in value:
            self._id = value.decode("utf-8", "replace")

    def finish(self) -> SseMessage | None:
        """The message; None where it has no data. Begins the next one."""
        message = SseMessage(self._event or "message", b"\n".join(self._data), self._id) if self._data else None
        self._event, self._data, self._id, self.size_bytes = "", [], None, 0
        return message
