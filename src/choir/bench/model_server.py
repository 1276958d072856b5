"""A language model whose every delay is known: speaks OpenAI's chat interface, writes each step at a given pace, and
tells when it did. A program of its own, so that it takes no time from what is measured.

``python -m choir.bench.model_server FIRST_MS PIECES GAP_MS`` prints its address, and serves until it is stopped.
"""

import asyncio
import json
import sys
import time
from collections.abc import Iterator
from typing import Any, Final

from msgspec import Struct

_OUTPUTS: Final[dict[str, dict[str, Any]]] = {
    "action": {"initial_response": "", "confidence": 0.5},
    "experience": {"insights": [""], "citations": [], "patterns": []},
    "intention": {"goals": [""], "constraints": [], "expected_outcomes": []},
    "observation": {"analysis": "", "patterns": [], "quality": 0.9},
    "update": {"learnings": [""], "refinements": [], "loop": False},
    "yield": {"final_response": "", "citations": [], "confidence": 0.5},
}
_WORDS: Final = "known words at a known pace "


class Timing(Struct, frozen=True):
    """Of one request, on the monotonic clock that all processes of a machine share, in nanoseconds."""

    step: str
    asked_ns: int
    first_ns: int
    ended_ns: int


class Pace(Struct, frozen=True):
    """``first_ms`` before the first piece, ``gap_ms`` before each of the others."""

    first_ms: float
    pieces: int
    gap_ms: float


class ModelServer:
    """Answers every question with words at its pace."""

    def __init__(self, pace: Pace) -> None:
        self._pace = pace
        self._timings: list[Timing] = []

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, request after request."""
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
                length = next((line for line in head.lower().splitlines() if line.startswith("content-length:")), ":0")
                body = await reader.readexactly(int(length.partition(":")[2]))
                asked_ns = time.monotonic_ns()
                if head.startswith("GET "):
                    self._tell_timings(writer)
                else:
                    await self._write_answer(json.loads(body), asked_ns, writer)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass  # the client has what it wanted
        finally:
            writer.close()

    def _tell_timings(self, writer: asyncio.StreamWriter) -> None:
        told = json.dumps([{name: getattr(t, name) for name in t.__struct_fields__} for t in self._timings]).encode()
        self._timings.clear()
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n")
        writer.write(b"content-length: %d\r\n\r\n" % len(told) + told)

    async def _write_answer(self, asked: dict[str, Any], asked_ns: int, writer: asyncio.StreamWriter) -> None:
        step = str(asked.get("response_format", {}).get("json_schema", {}).get("name", "action"))
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n")
        await writer.drain()
        first_ns = 0
        for number, piece in enumerate(_pieces(step, self._pace.pieces)):
            await asyncio.sleep((self._pace.gap_ms if number else self._pace.first_ms) / 1000)
            first_ns = first_ns or time.monotonic_ns()
            _write_event(writer, {"choices": [{"index": 0, "delta": {"content": piece}, "finish_reason": None}]})
            await writer.drain()
        _write_event(writer, {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})
        usage = {"prompt_tokens": 100, "completion_tokens": self._pace.pieces, "total_tokens": 100 + self._pace.pieces}
        _write_event(writer, {"choices": [], "usage": usage})
        _write_chunk(writer, b"data: [DONE]\n\n")
        ended_ns = time.monotonic_ns()
        writer.write(b"0\r\n\r\n")
        self._timings.append(Timing(step, asked_ns, first_ns, ended_ns))


def _pieces(step: str, count: int) -> Iterator[str]:
    """The step's JSON in ``count`` pieces: up to its first words, more words, and the rest."""
    whole = json.dumps(_OUTPUTS.get(step, _OUTPUTS["action"]))
    at = whole.index('""') + 1
    yield whole[:at] + _WORDS
    for _ in range(count - 2):
        yield _WORDS
    yield whole[at:]


def _write_event(writer: asyncio.StreamWriter, fields: dict[str, Any]) -> None:
    event = {"id": "bench", "object": "chat.completion.chunk", "created": 0, "model": "paced", **fields}
    _write_chunk(writer, b"data: " + json.dumps(event).encode() + b"\n\n")


def _write_chunk(writer: asyncio.StreamWriter, data: bytes) -> None:
    writer.write(b"%x\r\n%b\r\n" % (len(data), data))


async def serve(pace: Pace) -> None:
    """Serve on a free port of the loopback interface."""
    server = await asyncio.start_server(ModelServer(pace).handle, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    print(f"http://127.0.0.1:{port}", flush=True)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    first_ms, pieces, gap_ms = sys.argv[1:]
    asyncio.run(serve(Pace(float(first_ms), int(pieces), float(gap_ms))))
