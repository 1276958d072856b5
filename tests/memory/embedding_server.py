"""A scripted embeddings endpoint: `python -m tests.memory.embedding_server` style, run by path, port printed.

The model's name says how it behaves; `calls` counts what it was asked, so that a script can change its
answer.
"""

import hashlib
import json
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

DIMENSIONS = 8
calls: dict[str, int] = {}


def vector(text: str, dimensions: int = DIMENSIONS) -> list[float]:
    digest = hashlib.sha256(text.encode()).digest()
    return [byte / 7 - 18 for byte in digest[:dimensions]]


def answer(model: str, texts: list[str], call: int) -> tuple[int, str]:
    script = model.split("/")[0]
    if script == "hang":
        time.sleep(60)
    if script in {"429", "500", "400"} or (script == "flaky" and call < 3):
        return int(script) if script != "flaky" else 503, json.dumps({"error": "scripted"})
    if script == "garbage":
        return 200, "<html>not json</html>"
    dimensions = {"wrong-dimension": 5, "wide": 2 * DIMENSIONS}.get(script, DIMENSIONS)
    vectors = [vector(text + "other" * (script == "other"), dimensions) for text in texts]
    if script == "zero":
        vectors[-1] = [0.0] * DIMENSIONS
    if script == "few":
        vectors = vectors[:-1]
    data = [{"index": number, "embedding": row} for number, row in enumerate(vectors)]
    body = json.dumps({"data": data[::-1], "model": model})
    if script == "nan":
        body = body.replace(str(vectors[0][0]), "NaN", 1)
    if script == "null":
        body = body.replace(str(vectors[0][0]), "null", 1)
    if script == "huge":
        body = body.replace(str(vectors[0][0]), "1e999", 1)
    return 200, body


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self._send(200, json.dumps(calls))

    def do_POST(self) -> None:
        request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        model = request["model"]
        calls[model] = calls.get(model, 0) + 1
        status, body = answer(model, request["input"], calls[model])
        self._send(status, body)

    def _send(self, status: int, body: str) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *arguments: object) -> None:
        """Quiet."""


if __name__ == "__main__":
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    print(server.server_port, flush=True)
    sys.exit(server.serve_forever())
