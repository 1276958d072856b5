"""What it takes to show somebody what they may read."""

from collections.abc import Callable
from dataclasses import dataclass

from choir.api.access_store import AccessStore
from choir.engine.protocol import Engine
from choir.memory.memory import Memory
from choir.memory.projection import Projection
from choir.memory.records import RecordStore


@dataclass(frozen=True, kw_only=True)
class ReadingParts:
    """What it takes to show somebody what they may read."""

    engine: Engine
    memory: Memory
    access: AccessStore
    clock_ms: Callable[[], int]

    @property
    def records(self) -> RecordStore:
        return self.memory.records

    @property
    def projection(self) -> Projection:
        return self.memory.projection
