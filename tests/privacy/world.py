"""A real node in this process, called through its ASGI application, and the people who use it."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import msgspec

from choir.api.services import Services
from choir.ledger.transactions import AnyBody, CreateThread
from choir.node.node import Node
from choir.node.settings import Settings
from choir.primitives.signatures import SigningKey
from tests.support.chain import digest
from tests.support.node import Wallet, prepare_data_dir


class Answer(NamedTuple):
    """What came back: status, headers, the parsed body, and every byte of it as text."""

    status: int
    headers: httpx.Headers
    body: Any
    raw: str

    @property
    def data(self) -> Any:
        assert self.body["error"] is None, self.body
        return self.body["data"]

    @property
    def error(self) -> Any:
        assert self.body["error"] is not None, self.body
        return self.body["error"]

    @property
    def shape(self) -> Any:
        """All that an asker can tell apart, but for the request's own id and time."""
        headers = {name for name in self.headers if name != "x-request-id"}
        return self.status, headers, {**self.body, "metadata": sorted(self.body["metadata"])}


class AsgiCaller:
    """One asker: calls the application with its own session token, if any."""

    def __init__(self, client: httpx.AsyncClient, token: str | None = None, prefix: str = "/v1") -> None:
        self._client = client
        self._prefix = prefix
        self._headers = {} if token is None else {"Authorization": f"Bearer {token}"}

    async def get(self, path: str, headers: dict[str, str] | None = None, **query: Any) -> Answer:
        sent = {**self._headers, **(headers or {})}
        return _answer(await self._client.get(self._prefix + path, params=query or None, headers=sent))

    async def post(self, path: str, body: Any, *, headers: dict[str, str] | None = None, **query: Any) -> Answer:
        content = body if isinstance(body, bytes) else msgspec.json.encode(body)
        sent = {"Content-Type": "application/json", **self._headers, **(headers or {})}
        return _answer(
            await self._client.post(self._prefix + path, content=content, params=query or None, headers=sent)
        )

    async def delete(self, path: str) -> Answer:
        return _answer(await self._client.delete(self._prefix + path, headers=self._headers))


def _answer(response: httpx.Response) -> Answer:
    is_json = response.headers.get("content-type", "").startswith("application/json")
    return Answer(response.status_code, response.headers, json.loads(response.text) if is_json else None, response.text)


class World:
    """A running node with helpers for its people."""

    def __init__(self, services: Services, client: httpx.AsyncClient) -> None:
        self.services = services
        self.client = client
        self.stranger = AsgiCaller(client)
        self.root = AsgiCaller(client, prefix="")

    async def person(self, name: str) -> "Person":
        """A funded and signed-in account."""
        person = Person(self.stranger, name)
        await person.fund()
        person.asks = AsgiCaller(self.client, await sign_in(self.stranger, person.key))
        return person

    async def new_thread(self, wallet: Wallet, privacy: Any = "public") -> str:
        thread_id = digest(f"{wallet.address}-{wallet.nonce}")[:32]
        assert (await wallet.send(CreateThread(thread_id=thread_id, privacy=privacy))).status == 200
        return thread_id

    async def indexed(self) -> None:
        """Wait until search has caught up with everything committed."""
        await self.services.memory.indexed()


class Person(Wallet):
    """A wallet, and what it asks with when it is signed in."""

    asks: AsgiCaller

    async def must(self, body: AnyBody, text: str | None = None) -> None:
        """Send a transaction that has to succeed."""
        reply = await self.send(body, text)
        assert reply.status == 200, reply.body


async def sign_in(caller: AsgiCaller, key: SigningKey) -> str:
    """The token of a new session, as a wallet gets it."""
    challenge = (await caller.post("/auth/challenge", {"address": key.address})).data
    signature = key.sign(challenge["message"].encode())
    login = {"address": key.address, "nonce": challenge["nonce"], "signature": signature}
    token: str = (await caller.post("/auth/login", login)).data["token"]
    return token


@asynccontextmanager
async def running_world(
    data_dir: Path, *, clock: Callable[[], int] | None = None, **settings: Any
) -> AsyncIterator[World]:
    """A node over ``data_dir``, made when it is new. ``clock`` replaces the ledger's clock."""
    if not await asyncio.to_thread(data_dir.exists):
        prepare_data_dir(data_dir)
    genesis_file = data_dir.with_name(f"{data_dir.name}-genesis.json")
    node = Node(Settings(data_dir=str(data_dir), genesis_file=str(genesis_file), **settings))
    if clock is not None:
        node.engine._clock_ms = clock
    app = await node.start()
    try:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://choir.test") as client:
            yield World(node.services, client)
    finally:
        await node.close()


class MovingClock:
    """The wall clock, and as much as a test has skipped."""

    def __init__(self) -> None:
        self.skipped_ms = 0

    def __call__(self) -> int:
        return time.time_ns() // 1_000_000 + self.skipped_ms
