"""A running node: its parts made, started in order, and stopped in the reverse."""

import asyncio
import contextlib
from importlib.metadata import version
from pathlib import Path
from typing import Final

import structlog
from litestar.types import ASGIApp

from choir.api.app import make_app
from choir.api.services import Services
from choir.engine.embedded.engine import EmbeddedEngine
from choir.engine.embedded.writer import wall_clock_ms
from choir.memory.database import Database
from choir.memory.projection import Projection
from choir.memory.records import RecordStore
from choir.memory.vault import Vault
from choir.node.data_dir import DataDir
from choir.node.faucet import Faucet
from choir.node.follower import Follower
from choir.node.settings import Settings

_PENDING_KEPT_MS: Final = 10 * 60_000
_SWEEP_SECONDS: Final = 60

_log = structlog.get_logger("choir.node")


class Node:
    """Everything one node runs. Make it, `start` it on an event loop, serve `app`, then `close` it."""

    def __init__(self, settings: Settings) -> None:
        """Opens and locks the data directory. Raises ``DataDirError`` or ``GenesisError``."""
        self.settings = settings
        self.data_dir = DataDir(Path(settings.data_dir))
        try:
            genesis = self.data_dir.genesis(wall_clock_ms(), settings.genesis_file)
            self.engine = EmbeddedEngine(self.data_dir.path, self.data_dir.node_key(), genesis)
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
            database = await asyncio.to_thread(Database, self.data_dir.path / "memory.db")
            stack.callback(database.close)
            vault = Vault(self.data_dir.node_key())
            records, projection = RecordStore(database, vault), Projection(database, vault)
            follower = Follower(self.engine, projection)
            await follower.start()
            stack.push_async_callback(follower.close)
            sweeper = asyncio.create_task(_sweep_forever(records), name="choir-sweeper")
            stack.push_async_callback(_cancel, sweeper)
            await follower.caught_up()
            app = make_app(self._services(records, projection, follower))
            self._exit = stack.pop_all()
        self._is_ready = True
        return app

    async def close(self) -> None:
        """Stop everything, last started first."""
        self._is_ready = False
        await self._exit.aclose()

    def _services(self, records: RecordStore, projection: Projection, follower: Follower) -> Services:
        return Services(
            engine=self.engine,
            records=records,
            projection=projection,
            follower=follower,
            faucet=Faucet(self.engine, self.data_dir.faucet_key()) if self.is_development else None,
            node_name=self.settings.node_name,
            version=version("choir"),
            clock_ms=wall_clock_ms,
            is_ready=lambda: self._is_ready and follower.is_running,
        )


async def _sweep_forever(records: RecordStore) -> None:
    while True:
        await asyncio.sleep(_SWEEP_SECONDS)
        swept = await records.sweep(wall_clock_ms() - _PENDING_KEPT_MS)
        if swept:
            _log.info("swept content whose transaction never came", records=swept)


async def _cancel(task: "asyncio.Task[None]") -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
