"""What the routes are given: parts made elsewhere and passed in by `choir.node`."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, cast

from litestar import Litestar

from choir.api.chorus.runs import ChorusRuns
from choir.api.reading import ReadingParts
from choir.coherence.records import EpochRecord


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


class CoherencePort(Protocol):
    """The epochs that the node has measured."""

    @property
    def latest(self) -> EpochRecord | None:
        """The last one; None before the first."""

    async def epochs(self, before_number: int, limit: int) -> Sequence[EpochRecord]:
        """Those below a number, newest first. Raises ``sqlite3.Error``."""


@dataclass(frozen=True, kw_only=True)
class Services(ReadingParts):
    """Everything that a route may need."""

    follower: FollowerPort
    faucet: FaucetPort | None
    node_name: str
    own_address: str
    version: str
    is_ready: Callable[[], bool]
    searches_per_hour: int
    chorus: ChorusRuns
    coherence: CoherencePort


def get_services(app: Litestar) -> Services:
    return cast(Services, cast(Any, app.state).services)
