"""A node with its sockets in this process, and a plain WebSocket client that checks what every client has to."""

import asyncio
import itertools
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from choir.api.live.limits import Limits
from choir.ledger.transactions import AnyBody, CreateThread
from choir.node.node import Node
from choir.node.server import make_server
from choir.node.settings import Settings
from choir.primitives.signatures import SigningKey
from tests.support.chain import digest
from tests.support.node import Caller, Wallet, prepare_data_dir
from tests.support.patience import PATIENCE_SECONDS


class Client:
    """One connection. Streams are checked as they come: a gap or an overlap between updates fails the test."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self._ids = itertools.count(1)
        self._numbers: dict[str | None, int] = {}
        self.welcome: dict[str, Any] = {}

    async def next(self) -> dict[str, Any]:
        """The next message, pings apart: they are answered."""
        while True:
            message: dict[str, Any] = json.loads(await asyncio.wait_for(self.socket.recv(), PATIENCE_SECONDS))
            if message["type"] == "ping":
                await self.send("pong", message["payload"])
                continue
            self._follow(message)
            return message

    async def expect(self, type_name: str) -> dict[str, Any]:
        message = await self.next()
        assert message["type"] == type_name, message
        return message

    async def updates(self, count: int) -> list[dict[str, Any]]:
        """The next updates, whether they come one by one or in batches."""
        found: list[dict[str, Any]] = []
        while len(found) < count:
            message = await self.next()
            assert message["type"] != "error", message
            found += message["payload"]["updates"] if message["type"] == "batch" else [message]
        assert len(found) == count, found
        return found

    async def send(self, type_name: str, payload: Any = None, **envelope: Any) -> str:
        message_id = envelope.pop("id", f"c{next(self._ids)}")
        message = {"id": message_id, "type": type_name, "payload": payload or {}, **envelope}
        await self.socket.send(json.dumps(message))
        return str(message_id)

    async def submit(self, wallet: Wallet, body: AnyBody, text: str | None = None) -> str:
        """Sign and submit with the wallet's next nonce."""
        raw = wallet.submission(body, text).decode()
        message_id = f"c{next(self._ids)}"
        await self.socket.send(f'{{"id":"{message_id}","type":"submit","payload":{raw}}}')
        wallet.nonce += 1
        return message_id

    async def sign_in(self, token: str) -> dict[str, Any]:
        message_id = await self.send("auth", {"token": token})
        answer = await self.next()
        assert answer["id"] == message_id
        return answer

    async def follow(self, *threads: str, **payload: Any) -> list[dict[str, Any]]:
        """Subscribe; returns the answers, one for each stream."""
        message_id = await self.send("subscribe", {"threads": threads, **payload})
        if "from_seq" in payload:
            self._numbers |= dict.fromkeys([*threads, *([None] if payload.get("account") else [])], payload["from_seq"])
        answers = [await self.next() for _ in range(len(threads) + bool(payload.get("account")))]
        assert all(answer["id"] == message_id for answer in answers), answers
        return answers

    async def follow_blindly(self, *threads: str) -> None:
        """Subscribe, and read no answer."""
        await self.send("subscribe", {"threads": threads})

    async def nothing_more(self) -> None:
        """Whatever was sent to this client has been received: the next answer is that of a new question."""
        message_id = await self.send("nothing")
        message = await self.next()
        assert (message["id"], message["type"]) == (message_id, "error"), message

    async def closed(self) -> tuple[int, str]:
        """Wait for the end; returns its code and reason."""
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                while True:
                    await self.socket.recv()
        except ConnectionClosed as end:
            if end.rcvd is None:
                raise AssertionError("the line was cut without a close frame") from end
            return end.rcvd.code, end.rcvd.reason

    def _follow(self, message: dict[str, Any]) -> None:
        stream = message.get("thread_id")
        if message["type"] == "state_sync":
            self._numbers[stream] = message["seq"]
        updates = message["payload"].get("updates") if message["type"] == "batch" else [message]
        for update in updates:
            if "after_seq" in update["payload"] and stream in self._numbers:
                number, after, seq = self._numbers[stream], update["payload"]["after_seq"], update["seq"]
                assert after <= number < seq, f"expected what follows {number}, got {after} to {seq}"
                self._numbers[stream] = seq


class LivePerson(Wallet):
    """A funded account and its session token."""

    token: str = ""

    async def must(self, body: AnyBody, text: str | None = None) -> dict[str, Any]:
        reply = await self.send(body, text)
        assert reply.status == 200, reply.body
        receipt: dict[str, Any] = reply.data
        return receipt

    async def thread(self, privacy: Any = "public") -> str:
        thread_id = digest(f"{self.address}-{self.nonce}")[:32]
        await self.must(CreateThread(thread_id=thread_id, privacy=privacy))
        return thread_id

    async def posts(self, thread_id: str, text: str, **fields: Any) -> str:
        body = self.post(thread_id, text, **fields)
        await self.must(body, text)
        return body.content_hash


async def open_socket(node_url: str, path: str, *, authority: str | None = None, **options: Any) -> ClientConnection:
    """A bare WebSocket; ``authority`` is what the client believes the node is called."""
    address, port = node_url.removeprefix("http://").split(":")
    url = f"ws://{authority or f'{address}:{port}'}{path}"
    line = {} if "sock" in options else {"host": address, "port": int(port)}
    return await connect(url, ping_interval=None, proxy=None, **line, **options)


@asynccontextmanager
async def connected(node_url: str, **options: Any) -> AsyncIterator[Client]:
    """A connection to any node, signed out."""
    async with await open_socket(node_url, "/v1/ws", **options) as socket:
        client = Client(socket)
        client.welcome = await client.expect("welcome")
        yield client


class LiveWorld:
    """A node that listens on the loopback interface."""

    def __init__(self, node: Node, url: str, session: aiohttp.ClientSession) -> None:
        self.node, self.url = node, url
        self.session = session
        self.caller = Caller(session)

    @asynccontextmanager
    async def client(self, person: LivePerson | None = None, **options: Any) -> AsyncIterator[Client]:
        """A connection, signed in as ``person`` if given."""
        async with connected(self.url, **options) as client:
            if person is not None:
                assert (await client.sign_in(person.token))["payload"]["address"] == person.address
            yield client

    async def open(self, path: str, **options: Any) -> ClientConnection:
        """A bare WebSocket; see `open_socket`."""
        return await open_socket(self.url, path, **options)

    async def person(self, name: str) -> LivePerson:
        person = LivePerson(self.caller, name)
        await person.fund()
        person.token = await sign_in(self.caller, person.key)
        return person

    def as_person(self, person: LivePerson | None) -> "Asker":
        return Asker(self.session, person)


class Asker:
    """REST as one person."""

    def __init__(self, session: aiohttp.ClientSession, person: LivePerson | None) -> None:
        self._session = session
        self._headers = {} if person is None else {"Authorization": f"Bearer {person.token}"}

    async def get(self, path: str, **query: Any) -> Any:
        async with self._session.get("/v1" + path, params=query, headers=self._headers) as response:
            return (await response.json())["data"]

    async def post(self, path: str) -> int:
        async with self._session.post("/v1" + path, headers=self._headers) as response:
            return response.status


async def sign_in(caller: Caller, key: SigningKey) -> str:
    """The token of a new session."""
    challenge = (await caller.post("/auth/challenge", {"address": key.address})).data
    login = {"address": key.address, "nonce": challenge["nonce"], "signature": key.sign(challenge["message"].encode())}
    token: str = (await caller.post("/auth/login", login)).data["token"]
    return token


@asynccontextmanager
async def live_world(
    data_dir: Path, *, limits: Limits | None = None, clock: Callable[[], int] | None = None, **settings: Any
) -> AsyncIterator[LiveWorld]:
    """A node over ``data_dir``, made when it is new. ``clock`` replaces the ledger's clock."""
    if not await asyncio.to_thread(data_dir.exists):
        prepare_data_dir(data_dir)
    genesis_file = data_dir.with_name(f"{data_dir.name}-genesis.json")
    node = Node(Settings(data_dir=str(data_dir), genesis_file=str(genesis_file), **settings), limits)
    if clock is not None:
        node.engine._clock_ms = clock
    app = await node.start()
    server = make_server(node, app)
    listener = await asyncio.to_thread(_listen)
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        async with aiohttp.ClientSession(url) as session:
            yield LiveWorld(node, url, session)
    finally:
        server.should_exit = True
        await serving
        await node.close()


def _listen() -> Any:
    import socket

    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(2048)
    return listener
