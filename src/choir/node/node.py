"""A running node: its parts made, started in order, and stopped in the reverse."""

import asyncio
import contextlib
import gc
import sqlite3
import sys
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Final

import msgspec
import structlog
from litestar.types import ASGIApp

from choir.api.access_store import AccessStore
from choir.api.app import make_app
from choir.api.chorus.runs import ChorusRuns
from choir.api.live.hub import LiveHub
from choir.api.live.limits import Limits
from choir.api.reading import ReadingParts
from choir.api.services import Services
from choir.chorus.ports import Model
from choir.chorus.steps import Step
from choir.engine.embedded.engine import EmbeddedEngine
from choir.engine.embedded.writer import wall_clock_ms
from choir.memory.memory import Memory, SearchUnavailable
from choir.node.chorus import close_models, make_runs, open_models, open_store, prepare_models
from choir.node.coherence import CoherenceKeeper
from choir.node.coherence_store import CoherenceStore
from choir.node.data_dir import DataDir, DataDirError
from choir.node.faucet import Faucet
from choir.node.follower import Follower
from choir.node.settings import Settings

_PENDING_KEPT_MS: Final = 10 * 60_000
_TIDY_SECONDS: Final = 60
_SWITCH_SECONDS: Final = 0.0005

_log = structlog.get_logger("choir.node")


class Node:
    """Everything one node runs. Make it, `start` it on an event loop, serve `app`, then `close` it."""

    live: LiveHub
    """The connections that follow what happens; there once the node is started, as the services are."""
    services: Services

    def __init__(self, settings: Settings, live_limits: Limits | None = None) -> None:
        """Opens and locks the data directory. Raises ``DataDirError`` or ``GenesisError``."""
        self.settings = settings
        self._live_limits = live_limits
        self.data_dir = DataDir(Path(settings.data_dir))
        try:
            genesis = self.data_dir.genesis(wall_clock_ms(), settings.genesis_file)
            self._key = self.data_dir.node_key()
            self.engine = EmbeddedEngine(self.data_dir.path, self._key, genesis)
            self.is_development = self.data_dir.is_development(genesis)
        except BaseException:
            self.data_dir.close()
            raise
        self._exit = contextlib.AsyncExitStack()
        self._is_ready = False

    async def start(self) -> ASGIApp:
        """Open the ledger and the memory, catch up, and build the application. Raises ``EngineError``."""
        async with contextlib.AsyncExitStack() as stack:
            stack.callback(self.data_dir.close)
            await self.engine.start()
            stack.push_async_callback(self.engine.close)
            memory = await asyncio.to_thread(Memory, self.data_dir.path, self._key)
            stack.push_async_callback(memory.close)
            access = await asyncio.to_thread(self._open_access)
            stack.callback(access.close)
            store = await asyncio.to_thread(open_store, self.data_dir.path, self._key)
            stack.callback(store.close)
            follower = Follower(self.engine, memory, store.erase)
            await follower.start()
            stack.push_async_callback(follower.close)
            caretaker = asyncio.create_task(_tidy_forever(memory, access), name="choir-caretaker")
            stack.push_async_callback(_cancel, caretaker)
            await follower.caught_up()
            spare_the_garbage_collector()  # while nobody waits for an answer yet
            stack.callback(gc.unfreeze)  # a process that goes on without the node gets its memory back
            memory.start_search(self.settings.embedder, self.settings.vector_index)
            coherence = await self._open_coherence(stack, memory, follower)
            models = open_models(self.settings)
            stack.push_async_callback(close_models, models)
            settling = asyncio.create_task(_settle(memory, models), name="choir-settling")
            stack.push_async_callback(_cancel, settling)
            parts = ReadingParts(engine=self.engine, memory=memory, access=access, clock_ms=wall_clock_ms)
            runs = make_runs(parts, store, models, self.settings, is_development=self.is_development)
            await runs.recover()
            stack.push_async_callback(runs.close)
            self.services = self._services(parts, follower, runs, coherence)
            app = make_app(self.services)
            self.live = LiveHub(self.services, self.settings.domain, self._live_limits)
            await self.live.start()
            stack.push_async_callback(self.live.close)
            self._exit = stack.pop_all()
        self._is_ready = True
        return app

    async def close(self) -> None:
        """Stop everything, last started first."""
        self._is_ready = False
        await self._exit.aclose()

    def _open_access(self) -> AccessStore:
        host = f"[{self.settings.host}]" if ":" in self.settings.host else self.settings.host
        domain = self.settings.domain or f"{host}:{self.settings.port}"
        path = self.data_dir.path / "access.db"
        return AccessStore(path, wall_clock_ms, domain, self.engine.genesis.chain_id)

    async def _open_coherence(
        self, stack: contextlib.AsyncExitStack, memory: Memory, follower: Follower
    ) -> CoherenceKeeper:
        kept = await asyncio.to_thread(CoherenceStore, self.data_dir.path / "coherence.db")
        stack.callback(kept.close)
        keeper = CoherenceKeeper(self.engine, memory, follower, kept, self._key.address)
        try:
            await keeper.start()
        except (sqlite3.Error, msgspec.DecodeError) as error:
            raise DataDirError(
                f"coherence.db is damaged ({error}): move it away; it holds measured epochs only"
            ) from error
        stack.push_async_callback(keeper.close)
        return keeper

    def _services(
        self, parts: ReadingParts, follower: Follower, runs: ChorusRuns, coherence: CoherenceKeeper
    ) -> Services:
        searches = self.settings.searches_per_hour or (100_000 if self.is_development else 100)
        return Services(
            engine=parts.engine,
            memory=parts.memory,
            access=parts.access,
            clock_ms=parts.clock_ms,
            follower=follower,
            faucet=Faucet(self.engine, self.data_dir.faucet_key()) if self.is_development else None,
            node_name=self.settings.node_name,
            own_address=self._key.address,
            version=version("choir"),
            is_ready=lambda: self._is_ready and follower.is_following and self.engine.failure is None,
            searches_per_hour=searches,
            chorus=runs,
            coherence=coherence,
        )


async def _settle(memory: Memory, models: dict[Step, Model]) -> None:
    """Once everything is loaded, what stays for good is not looked through for garbage any more."""
    try:
        await memory.search_ready()
    except SearchUnavailable as error:
        _log.warning("the node runs without search", reason=str(error))
    await prepare_models(models)
    gc.freeze()  # without looking for garbage first: that would hold the event loop


def favour_the_event_loop() -> None:
    """Have threads give the interpreter lock back sooner than after 5 ms: the event loop waits for each of them."""
    sys.setswitchinterval(_SWITCH_SECONDS)


def spare_the_garbage_collector() -> None:
    """Have it pass over all that is there: looking through a large state holds the event loop for a tenth of a second
    and more, and finds nothing."""
    gc.collect()
    gc.freeze()


async def _tidy_forever(memory: Memory, access: AccessStore) -> None:
    """Every minute: what was only meant to be kept for a while goes."""
    while True:
        await asyncio.sleep(_TIDY_SECONDS)
        try:
            await _tidy(memory, access, wall_clock_ms())
        except sqlite3.Error as error:
            # A full disk passes, a lock too: what was not swept now is swept then.
            _log.warning("old content could not be swept; it is tried again", reason=str(error))


async def _tidy(memory: Memory, access: AccessStore, now_ms: int) -> None:
    swept = await memory.records.sweep(now_ms - _PENDING_KEPT_MS)
    if swept:
        _log.info("swept content whose transaction never came", records=swept)
    await access.run(partial(access.audit.prune, now_ms))
    await access.run(partial(access.limiter.prune, now_ms))


async def _cancel(task: "asyncio.Task[None]") -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
