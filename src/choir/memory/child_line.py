"""Length-prefixed frames over a socket, and a thread's own way to a child process: blocking, without an event loop.

A reply that the event loop takes in and hands to a thread waits for two wake-ups more than one the thread reads itself.
"""

import socket
import struct
import threading
from typing import Final

LENGTH: Final = struct.Struct(">I")
_CHUNK_BYTES: Final = 1 << 16


class ChildDied(Exception):
    """The process is gone, or did not answer in time and was ended."""


class Line:
    """One thread asks, in any order; the process answers in that order. Another thread may close."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._in_use = threading.Lock()
        self._buffer = bytearray()
        self._sent = 0
        self._received = 0

    def send(self, request: bytes, seconds: float) -> int:
        """Returns the number of the request. Raises ``ChildDied``, and ``TimeoutError`` where it is not taken."""
        try:
            with self._in_use:
                self._connection.settimeout(seconds)
                send_frame(self._connection, request)
        except TimeoutError:
            raise
        except OSError as error:
            raise ChildDied("the process died") from error
        self._sent += 1
        return self._sent

    def receive(self, number: int, seconds: float) -> bytes:
        """The reply to the request of that number; those to earlier ones, which nobody waited for, are dropped. Raises
        ``ChildDied`` and ``TimeoutError``."""
        if number <= self._received:
            raise ValueError(f"the reply to request {number} was received or dropped before")
        while True:
            frame = self._next_frame(seconds)
            self._received += 1
            if self._received == number:
                return frame

    def close(self) -> None:
        """Whoever waits for a reply gets ``ChildDied``."""
        try:
            self._connection.shutdown(socket.SHUT_RDWR)
        except OSError:
            return  # closed before
        with self._in_use:
            self._connection.close()

    def _next_frame(self, seconds: float) -> bytes:
        while (end := _frame_end(self._buffer)) is None:
            self._buffer += self._some_bytes(seconds)
        frame = bytes(self._buffer[LENGTH.size : end])
        del self._buffer[:end]
        return frame

    def _some_bytes(self, seconds: float) -> bytes:
        try:
            with self._in_use:
                self._connection.settimeout(seconds)
                data = self._connection.recv(_CHUNK_BYTES)
        except TimeoutError:
            raise
        except OSError as error:
            raise ChildDied("the process died") from error
        if not data:
            raise ChildDied("the process died")
        return data


def send_frame(connection: socket.socket, frame: bytes) -> None:
    """Blocks until all of it is on its way. Raises ``OSError``."""
    connection.sendall(LENGTH.pack(len(frame)) + frame)


def read_frame(connection: socket.socket) -> bytes | None:
    """The next frame of a blocking socket; None where the other side is gone. Raises ``OSError``."""
    header = connection.recv(LENGTH.size, socket.MSG_WAITALL)
    if len(header) < LENGTH.size:
        return None
    (length,) = LENGTH.unpack(header)
    frame = connection.recv(length, socket.MSG_WAITALL) if length else b""
    return frame if len(frame) == length else None


def _frame_end(buffer: bytearray) -> int | None:
    """Where the first frame in ``buffer`` ends; None while it is not whole."""
    if len(buffer) < LENGTH.size:
        return None
    end = LENGTH.size + int(LENGTH.unpack_from(buffer)[0])
    return end if end <= len(buffer) else None
