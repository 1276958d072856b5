"""Length-prefixed frames over a socket, and a thread's own way to a child process: blocking, without an event loop.

A reply that the event loop takes in and hands to a thread waits for two wake-ups more than one the thread reads itself.
"""

import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

MAXIMUM_FRAME_BYTES: Final = 256 << 20
_LENGTH: Final = struct.Struct(">I")
_CHUNK_BYTES: Final = 1 << 16


class ChildDied(Exception):
    """The process is gone, or did not answer in time and was ended."""


class Frames:
    """Cuts bytes, as they arrive, into frames."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def add(self, data: bytes) -> None:
        self._buffer += data

    def take(self) -> bytes | None:
        """The first frame that is whole; None while there is none. Raises ``ChildDied`` for one that is too long to be
        ours."""
        if len(self._buffer) < _LENGTH.size:
            return None
        (length,) = _LENGTH.unpack_from(self._buffer)
        if length > MAXIMUM_FRAME_BYTES:
            raise ChildDied("the process sent what is no reply")
        end = _LENGTH.size + length
        if end > len(self._buffer):
            return None
        frame = bytes(self._buffer[_LENGTH.size : end])
        del self._buffer[:end]
        return frame


class Line:
    """One thread asks, in any order; the process answers in that order. Another thread may close."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._in_use = threading.Lock()
        self._frames = Frames()
        self._sent = 0
        self._received = 0

    def send(self, request: bytes, seconds: float) -> int:
        """Returns the number of the request. Raises ``ChildDied``, and ``TimeoutError`` where it is not taken."""
        with self._within(seconds):
            send_frame(self._connection, request)
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
        while (frame := self._frames.take()) is None:
            with self._within(seconds):
                data = self._connection.recv(_CHUNK_BYTES)
            if not data:
                raise ChildDied("the process died")
            self._frames.add(data)
        return frame

    @contextmanager
    def _within(self, seconds: float) -> Iterator[None]:
        try:
            with self._in_use:
                self._connection.settimeout(seconds)
                yield
        except TimeoutError:
            raise
        except OSError as error:
            raise ChildDied("the process died") from error


def framed(frame: bytes) -> bytes:
    """The bytes that go over the line: the frame's length before it."""
    return _LENGTH.pack(len(frame)) + frame


def send_frame(connection: socket.socket, frame: bytes) -> None:
    """Blocks until all of it is on its way. Raises ``OSError``."""
    connection.sendall(framed(frame))


def read_frame(connection: socket.socket) -> bytes | None:
    """The next frame of a blocking socket; None where the other side is gone. Raises ``OSError``."""
    header = connection.recv(_LENGTH.size, socket.MSG_WAITALL)
    if len(header) < _LENGTH.size:
        return None
    (length,) = _LENGTH.unpack(header)
    frame = connection.recv(length, socket.MSG_WAITALL) if length else b""
    return frame if len(frame) == length else None
