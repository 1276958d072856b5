"""What the routes are given: parts made elsewhere and passed in by `choir.node`."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol, cast

from litestar import Litestar

from choir.api.access_store import AccessStore
from choir.engine.protocol import Engine
from choir.memory.memory import Memory
from choir.memory.projection import Projection
from choir.memory.records import RecordStore


class FaucetPort(Protocol):
    """Gives development CHOIR."""

    async def give(self, address: str) -> tuple[str, int]:
        """Top up a wallet; returns the transaction's hash and the amount in uchoir. Rejects with FaucetRefused."""


class FollowerPort(Protocol):
    """Follows the engine's events into the projections."""

    async def caught_up(self) -> None:
        """Wait until everything committed up to now is in the projections."""

    async def applied(self, seq: int) -> None:
        """Wait until event ``seq`` is in the projections."""


@dataclass(frozen=True)
class Services:
    """Everything that a route may need."""

    engine: Engine
    memory: Memory
    access: AccessStore
    follower: FollowerPort
    faucet: FaucetPort | None
    node_name: str
    version: str
    clock_ms: Callable[[], int]
    is_ready: Callable[[], bool]
    searches_per_hour: int

    @property
    def records(self) -> RecordStore:
        return self.memory.records

    @property
    def projection(self) -> Projection:
        return self.memory.projection


def get_services(app: Litestar) -> Services:
    return cast(Services, cast(Any, app.state).services)
