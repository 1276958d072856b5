"""A server that speaks OpenAI's chat protocol and plays a script: ``python -m tests.chorus.openai_server``.

It prints its port. A test tells it what to do with ``POST /script``: for each step a list of behaviours, used up one by
one, then the good one. ``GET /seen`` gives the requests that came, and which of them the client gave up.
"""

import asyncio
import html
import json
import re
from collections.abc import AsyncIterator
from typing import Any, Final

SKIPPED_SECONDS: Final = 3600
_STEP: Final = re.compile(r"Write the step (\w+) now\.\s*\Z")
_PRIOR: Final = re.compile(
    r'<prior id="(p\d+)"[^>]*>\n(?:<thread-title>[^<]*</thread-title>\n)?(.*?)\n</prior>', re.DOTALL
)


class Scripts:
    def __init__(self) -> None:
        self.behaviours: dict[str, list[dict[str, Any]]] = {}
        self.requests: list[dict[str, Any]] = []
        self.changed = asyncio.Event()

    def next_for(self, step: str) -> dict[str, Any]:
        left = self.behaviours.get(step) or self.behaviours.get("*") or []
        return left.pop(0) if left else {"kind": "good"}


async def serve() -> None:
    scripts = Scripts()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await handle_one(scripts, reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # the client has gone: what it gave up is in ``seen``
        finally:
            writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0, limit=64 * 1024 * 1024)
    print(server.sockets[0].getsockname()[1], flush=True)
    async with server:
        await server.serve_forever()


async def handle_one(scripts: Scripts, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    method, path, _ = head.split("\r\n")[0].split(" ")
    headers = dict(line.lower().split(": ", 1) for line in head.split("\r\n")[1:] if line)
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    if path == "/script":
        scripts.behaviours = json.loads(body)
        scripts.requests.clear()
        await answer(writer, 200, b"{}")
    elif path == "/seen":
        await answer(writer, 200, json.dumps(scripts.requests).encode())
    elif method == "POST" and path == "/v1/chat/completions":
        await complete(scripts, headers, json.loads(body), reader, writer)
    else:
        await answer(writer, 404, b"{}")


async def complete(
    scripts: Scripts,
    headers: dict[str, str],
    body: dict[str, Any],
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
) -> None:
    user = body["messages"][-1]["content"]
    found = _STEP.search(user)
    step = found[1] if found else "?"
    seen = {"step": step, "headers": headers, "body": body, "given_up": False, "is_told": False}
    scripts.requests.append(seen)
    playing = asyncio.create_task(play(scripts.next_for(step), seen, user, writer))
    # The client sends nothing more: reading ends when it closes the connection.
    leaving = asyncio.create_task(reader.read())
    await asyncio.wait([playing, leaving], return_when=asyncio.FIRST_COMPLETED)
    # Who has the last line may leave before the end of the body.
    seen["given_up"] = not playing.done() and not seen["is_told"]
    playing.cancel()
    leaving.cancel()
    await asyncio.gather(playing, leaving, return_exceptions=True)


async def play(behaviour: dict[str, Any], seen: dict[str, Any], user: str, writer: asyncio.StreamWriter) -> None:
    kind, step = behaviour["kind"], seen["step"]
    if kind == "status":
        fault = json.dumps({"error": {"message": behaviour.get("message", "no"), "type": "x", "code": None}})
        await answer(writer, behaviour["status"], fault.encode(), behaviour.get("headers", {}))
    elif kind == "hang":
        await asyncio.sleep(SKIPPED_SECONDS)
    elif kind == "html":
        await answer(writer, 200, b"<html>not the page you want</html>", {"Content-Type": "text/html"})
    elif kind == "close":
        return
    else:
        await start_stream(writer)
        async for line in stream_lines(behaviour, step, user):
            data = line.encode()
            seen["is_told"] = line.endswith("[DONE]\n\n")
            writer.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")
            await writer.drain()
            await asyncio.sleep(behaviour.get("pause_seconds", 0))
        if kind == "stream_then_hang":
            await asyncio.sleep(SKIPPED_SECONDS)
        if kind != "broken":  # that one lacks the end of the body
            writer.write(b"0\r\n\r\n")
            await writer.drain()


async def stream_lines(behaviour: dict[str, Any], step: str, user: str) -> AsyncIterator[str]:
    """Server-Sent Events, as the kind of the behaviour wants them."""
    kind = behaviour["kind"]
    text = behaviour.get("text") or json.dumps(behaviour.get("output") or good_output(step, user), ensure_ascii=False)
    if kind in ("broken", "cut", "stream_then_hang", "length"):
        text = text[: int(len(text) * behaviour.get("share", 0.6))]
    if kind == "huge":
        for _ in range(2_000):
            yield chunk({"content": '{"x": "' + "x" * 1_000})
        return
    if kind == "malformed":
        yield "data: {this is no JSON\n\n"
        return
    if kind == "refusal":
        yield chunk({"refusal": "I will not."})
    elif kind == "tool_call":
        call = {"index": 0, "id": "call_1", "type": "function", "function": {"name": "search", "arguments": "{}"}}
        yield chunk({"tool_calls": [call]})
    else:
        size = behaviour.get("piece_characters", 7)
        for start in range(0, len(text), size):
            yield chunk({"content": text[start : start + size]})
    if kind in ("broken", "cut", "stream_then_hang"):
        return
    finish = {"length": "length", "filter": "content_filter", "tool_call": "tool_calls"}.get(kind, "stop")
    yield chunk({}, finish)
    yield chunk(None, None, {"prompt_tokens": 100, "completion_tokens": 20, "total_tokens": 120})
    yield "data: [DONE]\n\n"


def chunk(delta: dict[str, Any] | None, finish: str | None = None, usage: dict[str, int] | None = None) -> str:
    choices = [] if delta is None else [{"index": 0, "delta": delta, "finish_reason": finish}]
    data = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "scripted", "choices": choices}
    return f"data: {json.dumps(data | ({'usage': usage} if usage else {}))}\n\n"


def good_output(step: str, user: str) -> dict[str, Any]:
    """A sensible answer, which quotes the first prior that the request holds."""
    priors = [(one, html.unescape(text)) for one, text in _PRIOR.findall(user)]
    citations = [{"prior": one, "quote": " ".join(text.split()[:8])} for one, text in priors[:1]]
    marks = "".join(f" [{citation['prior']}]" for citation in citations)
    outputs: dict[str, dict[str, Any]] = {
        "action": {"initial_response": "A first answer – with “ünïcode” \\ and\nlines.", "confidence": 0.4},
        "experience": {"citations": citations, "patterns": ["One pattern"], "insights": ["One insight", "Another"]},
        "intention": {"goals": ["A goal"], "constraints": [], "expected_outcomes": ["An outcome"]},
        "observation": {"analysis": "It lacks reasons.", "patterns": [], "quality": 0.6},
        "update": {"refinements": ["Say why"], "learnings": [], "loop": False},
        "yield": {"final_response": f"The answer{marks}.", "citations": citations, "confidence": 0.8},
    }
    return outputs[step]


async def start_stream(writer: asyncio.StreamWriter) -> None:
    writer.write(
        b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
    )
    await writer.drain()


async def answer(writer: asyncio.StreamWriter, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
    fields = {"Content-Type": "application/json", "Content-Length": str(len(body)), "Connection": "close"}
    lines = [f"{name}: {value}" for name, value in (fields | (headers or {})).items()]
    writer.write(f"HTTP/1.1 {status} Status\r\n".encode() + "\r\n".join(lines).encode() + b"\r\n\r\n" + body)
    await writer.drain()


if __name__ == "__main__":
    asyncio.run(serve())
