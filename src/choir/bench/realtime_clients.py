"""Many light receivers in a process of their own: `python -m choir.bench.realtime_clients`, told what to do on its
standard input, one JSON object per line, each answered by one.

They read frames and note when each update came (`time.monotonic_ns`, the same clock for every process of the machine),
and do nothing else, so that what is measured is the server.
"""

import asyncio
import sys
import time
import zlib
from array import array
from pathlib import Path
from typing import Any, Final

import msgspec
import uvloop
from msgspec import Raw, Struct

ACK_UPDATES: Final = 128
PATIENCE_SECONDS: Final = 300.0
_UPGRADE: Final = (
    "GET /v1/ws HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
    "Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover; client_no_context_takeover\r\n\r\n"
)
_TEXT, _CLOSE, _PING = 1, 8, 9
_TAIL: Final = b"\x00\x00\xff\xff"


class Command(Struct):
    """``do``: connect ``count`` more clients to ``port`` (following ``thread_id``, if given), keep only ``count``, or
    collect: wait until all have ``seq``, and write what came since the last time into ``file``, the texts of the first
    client's updates into ``texts_file``."""

    do: str
    count: int = 0
    port: int = 0
    thread_id: str | None = None
    seq: int = 0
    file: str = ""
    texts_file: str = ""


class _Frame(Struct):
    type: str
    payload: Raw
    seq: int = 0


class _Update(Struct):
    seq: int


class _Batch(Struct):
    updates: list[_Update]


_decode_frame = msgspec.json.Decoder(_Frame).decode


class Crowd:
    """All receivers of this process, and what they received: (sequence number, nanoseconds) after each other."""

    def __init__(self) -> None:
        self.receivers: list[Receiver] = []
        self.received = array("q")
        self.texts: list[bytes] = []
        self.news = asyncio.Event()

    async def until(self, is_reached: Any) -> None:
        """Wait until every receiver is that far."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            for receiver in self.receivers:
                while not is_reached(receiver):
                    if receiver.reason is not None:
                        raise RuntimeError(f"a client lost its connection: {receiver.reason}")
                    self.news.clear()
                    await self.news.wait()


class Receiver(asyncio.Protocol):
    """One client: it subscribes, acknowledges, answers pings, and notes."""

    def __init__(self, crowd: Crowd, thread_id: str | None) -> None:
        self._crowd = crowd
        self._thread_id = thread_id
        self._buffer = bytearray()
        self._is_open = False
        self._unacked = 0
        self.is_ready = False
        self.last_seq = 0
        self.reason: str | None = None

    def connection_made(self, transport: Any) -> None:
        self._transport: asyncio.Transport = transport
        transport.write(_UPGRADE.encode())

    def connection_lost(self, exc: Exception | None) -> None:
        self.reason = self.reason or str(exc or "closed")
        self._crowd.news.set()

    def close(self) -> None:
        self._transport.abort()

    def data_received(self, data: bytes) -> None:
        now_ns = time.monotonic_ns()
        self._buffer += data
        if not self._is_open:
            head, found, rest = self._buffer.partition(b"\r\n\r\n")
            if not found:
                return
            if b" 101 " not in head or b"permessage-deflate" not in head:
                self.reason = f"no compressed WebSocket: {bytes(head)!r}"
            self._buffer, self._is_open = rest, True
            self.is_ready = self._thread_id is None
        start = 0
        while (end := self._take_frame(start, now_ns)) > start:
            start = end
        del self._buffer[:start]
        self._crowd.news.set()

    def _take_frame(self, start: int, now_ns: int) -> int:
        """Handle the frame at ``start`` if it is whole; returns where the next begins."""
        buffer, begin = self._buffer, start + 2
        if len(buffer) < begin:
            return start
        size = buffer[start + 1]
        if size >= 126:
            width = 2 if size == 126 else 8
            size, begin = int.from_bytes(buffer[begin : begin + width], "big"), begin + width
        if len(buffer) < begin + size:
            return start
        opcode, payload = buffer[start] & 0x0F, bytes(buffer[begin : begin + size])
        if opcode == _TEXT:
            text = zlib.decompressobj(-15).decompress(payload + _TAIL) if buffer[start] & 0x40 else payload
            self._take_text(text, now_ns)
        elif opcode == _PING:
            self._send(payload, opcode=10)
        elif opcode == _CLOSE:
            self.reason = repr(payload)
        return begin + size

    def _take_text(self, text: bytes, now_ns: int) -> None:
        frame = _decode_frame(text)
        if frame.type == "new_message":
            self._note(frame.seq, now_ns)
            if self._crowd.receivers[0] is self:
                self._crowd.texts.append(text)
        elif frame.type == "batch":
            for update in msgspec.json.decode(frame.payload, type=_Batch).updates:
                self._note(update.seq, now_ns)
        elif frame.type == "welcome" and self._thread_id is not None:
            self._send_json("subscribe", {"threads": [self._thread_id]})
        elif frame.type == "state_sync":
            self.is_ready = True
        elif frame.type == "ping":
            self._send_json("pong", msgspec.json.decode(frame.payload))
        elif frame.type == "error":
            self.reason = bytes(frame.payload).decode()

    def _note(self, seq: int, now_ns: int) -> None:
        if seq <= self.last_seq:
            self.reason = f"update {seq} came after {self.last_seq}"
        self.last_seq = seq
        self._crowd.received.append(seq)
        self._crowd.received.append(now_ns)
        self._unacked += 1
        if self._thread_id is not None and self._unacked == ACK_UPDATES:
            self._unacked = 0
            self._send_json("ack", {"seq": seq})

    def _send_json(self, kind: str, payload: Any) -> None:
        about = {"thread_id": self._thread_id} if kind == "ack" else {}
        self._send(msgspec.json.encode({"id": "1", "type": kind, "payload": payload, "timestamp": 0, **about}))

    def _send(self, payload: bytes, opcode: int = _TEXT) -> None:
        # Masked with zeros, which changes nothing. No frame of a client here is longer than 64 KiB.
        size = len(payload)
        length = bytes((0x80 | size,)) if size < 126 else b"\xfe" + size.to_bytes(2, "big")
        self._transport.write(bytes((0x80 | opcode,)) + length + b"\0\0\0\0" + payload)


async def _connect(crowd: Crowd, command: Command) -> None:
    loop = asyncio.get_running_loop()
    for _ in range(command.count):
        _, receiver = await loop.create_connection(
            lambda: Receiver(crowd, command.thread_id), "127.0.0.1", command.port
        )
        crowd.receivers.append(receiver)
    await crowd.until(lambda receiver: receiver.is_ready)


def _write(crowd: Crowd, command: Command) -> None:
    Path(command.file).write_bytes(crowd.received.tobytes())
    if command.texts_file:
        Path(command.texts_file).write_bytes(msgspec.json.encode([text.decode() for text in crowd.texts]))
    crowd.received, crowd.texts = array("q"), []


async def _obey(crowd: Crowd, command: Command) -> None:
    if command.do == "connect":
        await _connect(crowd, command)
    elif command.do == "keep":
        for receiver in crowd.receivers[command.count :]:
            receiver.close()
        del crowd.receivers[command.count :]
    else:
        await crowd.until(lambda receiver: receiver.last_seq >= command.seq)
        _write(crowd, command)


async def main() -> None:
    """Obey until standard input ends."""
    crowd, loop = Crowd(), asyncio.get_running_loop()
    while line := await loop.run_in_executor(None, sys.stdin.buffer.readline):
        await _obey(crowd, msgspec.json.decode(line, type=Command))
        print('{"is_done": true}', flush=True)


if __name__ == "__main__":
    uvloop.run(main())
