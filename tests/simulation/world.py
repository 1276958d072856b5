"""A node of which everything is real but the engine's file, the network and the time."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from random import Random
from typing import Any

import msgspec

from choir.api.access_store import AccessStore
from choir.api.live.hub import LiveHub
from choir.api.live.limits import Limits
from choir.api.services import Services
from choir.engine.protocol import Admission, SequencedEvent
from choir.ledger.blocks import Receipt
from choir.ledger.entities import ACCOUNTS, MESSAGES, THREADS
from choir.ledger.envelope import CheckedTransaction
from choir.ledger.genesis import DEVELOPMENT_PARAMS, make_state
from choir.ledger.state import State
from choir.ledger.transition import NO_TRANSACTION, Block, apply_block
from choir.memory.memory import Memory
from choir.node.follower import Follower
from choir.primitives.signatures import SigningKey
from tests.support.chain import CHAIN_ID, GENESIS_TIME_MS, NODE, make_genesis

# Small enough that every way of falling behind is taken.
LIMITS = Limits(recent_events=25, unacknowledged_updates=80, waiting_bytes=12_000)
PREMIUM_SECONDS = 4
_BATCH = 50


class SimulatedEngine:
    """The ledger's rules over a state in memory; a block is made a random moment after what it holds was admitted."""

    name = "simulated"
    failure: str | None = None
    first_seq = 0

    def __init__(self, names: list[str], random: Random) -> None:
        params = msgspec.structs.replace(DEVELOPMENT_PARAMS, premium_period_seconds=PREMIUM_SECONDS)
        self.genesis = make_genesis(names, params=params)
        self.state = make_state(self.genesis)
        self.history: list[SequencedEvent] = []
        self._random = random
        self._loop = asyncio.get_running_loop()
        self._known: dict[str, asyncio.Future[Receipt]] = {}
        self._waiting: list[CheckedTransaction] = []
        self._news = asyncio.Event()

    @property
    def last_seq(self) -> int:
        return len(self.history)

    def clock_ms(self) -> int:
        return GENESIS_TIME_MS + 1000 + int(self._loop.time() * 1000)

    async def submit(self, checked: CheckedTransaction, prepare: Any = None) -> Admission:
        if checked.hash not in self._known:
            if prepare is not None:
                await prepare()
            if checked.hash not in self._known:
                self._known[checked.hash] = self._loop.create_future()
                if not self._waiting:
                    self._loop.call_later(self._random.random() * 0.05, self._make_block)
                self._waiting.append(checked)
        return Admission(checked.hash, self._known[checked.hash])

    def _make_block(self) -> None:
        transactions, self._waiting = self._waiting, []
        height, time_ms = self.state.chain.height + 1, max(self.clock_ms(), self.state.chain.time_ms + 1)
        result = apply_block(self.state, Block(height, time_ms, transactions))
        self.state.commit(result.changes)
        for event, origin in zip(result.events, result.origins, strict=True):
            tx_hash = None if origin == NO_TRANSACTION else transactions[origin].hash
            fields = msgspec.to_builtins(event)
            self.history.append(
                SequencedEvent(seq=self.last_seq + 1, height=height, time_ms=time_ms, tx_hash=tx_hash, fields=fields)
            )
        for receipt in result.receipts:
            assert receipt.code == 0, receipt
            self._known[receipt.tx_hash].set_result(receipt)
        self._news.set()
        self._news = asyncio.Event()

    @contextlib.contextmanager
    def read(self) -> Iterator[State]:
        yield self.state

    async def events(self, after_seq: int) -> AsyncIterator[list[SequencedEvent]]:
        while True:
            news, batch = self._news, self.history[after_seq : after_seq + _BATCH]
            if batch:
                after_seq = batch[-1].seq
                yield batch
            else:
                await news.wait()


class World:
    """The running node, and what is true of it."""

    def __init__(self, directory: Path, names: list[str], random: Random) -> None:
        self.engine = SimulatedEngine(names, random)
        self.memory = Memory(directory, NODE)
        self.access = AccessStore(directory / "access.db", self.engine.clock_ms, "sim.test", CHAIN_ID)
        self.follower = Follower(self.engine, self.memory)  # type: ignore[arg-type]
        services = Services(
            engine=self.engine,  # type: ignore[arg-type]
            memory=self.memory,
            access=self.access,
            follower=self.follower,
            faucet=None,
            chorus=None,  # type: ignore[arg-type]
            coherence=None,  # type: ignore[arg-type]
            node_name="sim",
            own_address=NODE.address,
            version="0",
            clock_ms=self.engine.clock_ms,
            is_ready=lambda: True,
            searches_per_hour=1,
        )
        self.hub = LiveHub(services, "sim.test", LIMITS)
        self.texts: dict[str, str] = {}
        self.ended_tokens: set[str] = set()
        self.violations: list[str] = []

    async def start(self) -> None:
        await self.follower.start()
        await self.hub.start()

    async def restart_hub(self) -> None:
        """As after a restart of the node: everybody is cut off, and the recent events come from the ledger."""
        for connection in list(self.hub.connections):
            connection.socket.close(1001, "restart")  # type: ignore[arg-type]
        await self.hub.close()
        self.hub = LiveHub(self.hub.services, "sim.test", LIMITS)
        await self.hub.start()

    async def close(self) -> None:
        await self.hub.close()
        await self.follower.close()
        await self.memory.close()
        self.access.close()

    def sign_in(self, key: SigningKey) -> str:
        challenge = self.access.sessions.challenge(key.address)
        signature = key.sign(challenge.message.encode())
        return self.access.sessions.verify(key.address, challenge.nonce, signature).token

    def sign_out(self, token: str) -> None:
        self.ended_tokens.add(token)
        assert self.access.sessions.revoke(token)

    def may_read(self, viewer: str | None, content_hash: str) -> bool:
        """The rights as the privacy page writes them, said once more and independently of the node's code."""
        message = self.engine.state.get(MESSAGES, content_hash)
        if message is None or message.is_erased:
            return False
        thread = self.engine.state.get(THREADS, message.thread_id)
        if message.privacy == "public" or viewer in (*thread.co_authors, message.author):
            return True
        account = self.engine.state.get(ACCOUNTS, viewer) if viewer is not None else None
        return (
            message.privacy == "premium"
            and account is not None
            and account.premium_until_ms > self.engine.state.chain.time_ms
        )

    def events_of(self, thread_id: str) -> list[int]:
        return [event.seq for event in self.engine.history if event.fields.get("thread_id") == thread_id]

    def messages_of(self, thread_id: str) -> list[str]:
        """The hashes of a thread's messages, in their order."""
        posted = (event.fields for event in self.engine.history if event.fields["type"] == "message_posted")
        return [fields["content_hash"] for fields in posted if fields["thread_id"] == thread_id]
