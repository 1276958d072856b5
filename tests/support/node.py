"""A real node in a process of its own, and a caller that speaks plain HTTP to it."""

import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import aiohttp
import msgspec

from choir.ledger.genesis import DEVELOPMENT_PARAMS, Genesis
from choir.ledger.params import Params
from choir.ledger.transactions import AnyBody, PostMessage, SubmitSpec
from choir.memory.text import content_hash, new_salt
from choir.primitives.amounts import UCHOIR_PER_CHOIR
from choir.primitives.canonical import canonical_struct
from choir.primitives.signatures import SigningKey
from tests.support.chain import NODE, key, sign
from tests.support.patience import PATIENCE_SECONDS

ROOT = Path(__file__).parents[2]
FAUCET = key("faucet")
CHAIN_ID = "choir-dev"


class NodeProcess:
    """A node on a free port of the loopback interface, over ``data_dir``."""

    def __init__(self, data_dir: Path, **settings: Any) -> None:
        self.data_dir = data_dir
        data_dir.parent.mkdir(parents=True, exist_ok=True)
        self._stderr_path = data_dir.with_name(f"{data_dir.name}.stderr")
        values = {"host": "127.0.0.1", "port": 0, "data_dir": str(data_dir), **settings}
        with self._stderr_path.open("ab") as stderr:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "tests.support.run_node", json.dumps(values)],
                cwd=ROOT,
                stdout=subprocess.PIPE,
                stderr=stderr,
            )
        self.url = self._wait_for_url()

    def _wait_for_url(self) -> str:
        assert self.process.stdout is not None
        readable, _, _ = select.select([self.process.stdout], [], [], PATIENCE_SECONDS)
        line = self.process.stdout.readline().decode().strip() if readable else ""
        if not line.startswith("http"):
            self.kill()
            raise AssertionError(f"the node did not start: {self.stderr()}")
        return line

    def stderr(self) -> str:
        """What the node has logged so far."""
        return self._stderr_path.read_text()

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Send a signal and wait; returns the exit code. Raises ``TimeoutExpired`` for a stop that hangs."""
        self.process.send_signal(number)
        code = self.process.wait(timeout=PATIENCE_SECONDS)
        assert self.process.stdout is not None
        self.process.stdout.close()
        return code

    def kill(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        assert self.process.stdout is not None
        self.process.stdout.close()


def prepare_data_dir(data_dir: Path, params: Params = DEVELOPMENT_PARAMS, council: int = 1) -> Path:
    """Keys known to the tests, and a genesis file with the given parameters; returns the genesis file."""
    data_dir.mkdir(parents=True, mode=0o700)
    write_key(data_dir / "node.key", NODE)
    write_key(data_dir / "faucet.key", FAUCET)
    genesis = Genesis(
        chain_id=CHAIN_ID,
        time_ms=time.time_ns() // 1_000_000,
        validators=(NODE.address,),
        allocations={FAUCET.address: str(1_000_000_000 * UCHOIR_PER_CHOIR)},
        council_members=(NODE.address,),
        council_threshold=council,
        params=params,
    )
    path = data_dir.with_name(f"{data_dir.name}-genesis.json")
    path.write_bytes(canonical_struct(genesis))
    return path


def write_key(path: Path, signer: SigningKey) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(signer.seed.hex() + "\n")


@contextmanager
def running_node(data_dir: Path, **settings: Any) -> Iterator[NodeProcess]:
    """A node that is stopped at the end, by SIGKILL if it must."""
    node = NodeProcess(data_dir, **settings)
    try:
        yield node
    finally:
        if node.process.poll() is None:
            node.stop()
        node.kill()


class Reply(NamedTuple):
    """An answer: its HTTP status, its headers and the parsed body."""

    status: int
    headers: Any
    body: Any

    @property
    def data(self) -> Any:
        assert self.body["error"] is None, self.body
        return self.body["data"]

    @property
    def error(self) -> Any:
        assert self.body["error"] is not None, self.body
        return self.body["error"]


class Caller:
    """Plain HTTP to one node."""

    def __init__(self, session: aiohttp.ClientSession, prefix: str = "/v1") -> None:
        self._session = session
        self._prefix = prefix

    async def get(self, path: str, **query: Any) -> Reply:
        async with self._session.get(self._prefix + path, params=query) as response:
            return await _reply(response)

    async def post(self, path: str, body: Any, *, headers: dict[str, str] | None = None, **query: Any) -> Reply:
        """``body``: bytes as they are, an async iterator in chunks, anything else as JSON."""
        data = body if isinstance(body, bytes) or hasattr(body, "__aiter__") else msgspec.json.encode(body)
        headers = {"Content-Type": "application/json", **(headers or {})}
        async with self._session.post(self._prefix + path, data=data, params=query, headers=headers) as response:
            return await _reply(response)

    async def items(self, path: str, limit: int, **query: Any) -> list[Any]:
        """Every item of a list, page by page."""
        found: list[Any] = []
        cursor: dict[str, str] = {}
        while True:
            page = (await self.get(path, limit=limit, **cursor, **query)).data
            page = page.get("messages") or page.get("history") or page
            assert len(page["items"]) <= limit
            found += page["items"]
            if page["next_cursor"] is None:
                return found
            cursor = {"cursor": page["next_cursor"]}


async def _reply(response: aiohttp.ClientResponse) -> Reply:
    raw = await response.read()
    is_json = response.content_type == "application/json"
    return Reply(response.status, response.headers, json.loads(raw) if is_json else raw)


@asynccontextmanager
async def calling(url: str, prefix: str = "/v1") -> AsyncIterator[Caller]:
    async with aiohttp.ClientSession(url) as session:
        yield Caller(session, prefix)


class Wallet:
    """A key that keeps count of its nonce and submits over HTTP."""

    def __init__(self, caller: Caller, name: str) -> None:
        self.caller = caller
        self.key = key(name)
        self.address = self.key.address
        self.nonce = 0

    async def fund(self) -> None:
        """Ask the faucet."""
        reply = await self.caller.post("/faucet", {"address": self.address})
        assert reply.status == 200, reply

    async def send(self, body: AnyBody, text: str | None = None, *, path: str = "/tx", wait: str = "final") -> Reply:
        """Sign and submit with the next nonce; ``text`` is that of a body made by `post` or `spec`."""
        submission = self.submission(body, text)
        reply = await self.caller.post(path, submission, wait=wait)
        if reply.body["data"] is not None:  # admitted, and so the nonce is used
            self.nonce += 1
        return reply

    def submission(self, body: AnyBody, text: str | None = None, *, chain_id: str = CHAIN_ID) -> bytes:
        """The request's body, with the wallet's next nonce."""
        raw = sign(self.key, body, self.nonce, chain_id).raw
        if text is None:
            return b'{"tx":' + raw + b"}"
        content = msgspec.json.encode({"salt": salt_of(text), "text": text})
        return b'{"tx":' + raw + b',"content":' + content + b"}"

    def post(self, thread_id: str, text: str, priors: tuple[str, ...] = (), **fields: Any) -> PostMessage:
        return PostMessage(thread_id=thread_id, content_hash=self.hash(thread_id, text), priors=priors, **fields)

    def spec(self, thread_id: str, text: str, stake: int = 100_000_000, **fields: Any) -> SubmitSpec:
        hashed = self.hash(thread_id, text)
        return SubmitSpec(thread_id=thread_id, content_hash=hashed, stake=str(stake), priors=(), **fields)

    def hash(self, thread_id: str, text: str) -> str:
        return content_hash(self.address, salt_of(text), text, thread_id)


_salts: dict[str, str] = {}


def salt_of(text: str) -> str:
    """The salt that belongs to a text for the length of the run."""
    return _salts.setdefault(text, new_salt())
