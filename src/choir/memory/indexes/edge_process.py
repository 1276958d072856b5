"""The index process as the node sees it."""

from collections.abc import Callable
from pathlib import Path

from choir.memory.child_line import ChildDied
from choir.memory.child_process import ChildProcess
from choir.memory.indexes.edge_wire import Failed, Reply, Request, encoder, reply_decoder
from choir.memory.vector_index import IndexUnavailable

CALL_SECONDS = 30.0


class EdgeProcess:
    """One running index process. Replies come in the order of the requests."""

    def __init__(self, child: ChildProcess) -> None:
        self._child = child

    @classmethod
    async def start(cls, directory: Path, dimensions: int) -> "EdgeProcess":
        """Returns once the shard in `directory` is open. Raises IndexUnavailable if that fails."""
        try:
            child, _ = await ChildProcess.start("choir.memory.indexes.edge_main", [str(directory), str(dimensions)])
        except ChildDied as error:
            raise IndexUnavailable(f"the index process did not start: {error}") from error
        return cls(child)

    @property
    def pid(self) -> int:
        return self._child.pid

    async def call(self, request: Request, seconds: float | None = CALL_SECONDS) -> Reply:
        """Raises IndexUnavailable if the engine refuses, or the process dies or does not answer in time."""
        try:
            return _checked(await self._child.call(encoder.encode(request), seconds))
        except ChildDied as error:
            raise IndexUnavailable(f"vector index: {error}") from error

    def send_directly(self, request: Request, seconds: float) -> int:
        """`ChildProcess.send_directly`. Raises IndexUnavailable."""
        try:
            return self._child.send_directly(encoder.encode(request), seconds)
        except ChildDied as error:
            raise IndexUnavailable(f"vector index: {error}") from error

    def receive_directly(self, number: int, seconds: float) -> Reply:
        """`ChildProcess.receive_directly`. Raises IndexUnavailable, also if the engine refuses."""
        try:
            return _checked(self._child.receive_directly(number, seconds))
        except ChildDied as error:
            raise IndexUnavailable(f"vector index: {error}") from error

    def on_death(self, told: Callable[[], None]) -> None:
        """Have ``told`` called when the process dies by itself or is killed."""
        self._child.on_death = told

    def kill(self) -> None:
        """End the process at once."""
        self._child.kill()

    async def retire(self) -> None:
        """Let requests under way be answered, then stop."""
        await self._child.retire(CALL_SECONDS)

    async def stop(self) -> None:
        """End the process and wait until it is gone."""
        await self._child.stop()


def _checked(frame: bytes) -> Reply:
    reply = reply_decoder.decode(frame)
    if isinstance(reply, Failed):
        raise IndexUnavailable(f"the index refused: {reply.message}")
    return reply
