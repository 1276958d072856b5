"""Starting the index process, talking to it, and noticing when it dies."""

import asyncio
import socket
import struct
import sys
from collections import deque
from collections.abc import Callable
from pathlib import Path

from choir.memory.indexes.edge_wire import (
    LENGTH,
    MAXIMUM_FRAME_BYTES,
    Failed,
    Reply,
    Request,
    frame,
    reply_decoder,
)
from choir.memory.vector_index import IndexUnavailable

START_SECONDS = 30.0
CALL_SECONDS = 30.0


class EdgeProcess:
    """One running index process. Replies come in the order of the requests."""

    def __init__(self, process: asyncio.subprocess.Process, streams: tuple[asyncio.StreamReader, asyncio.StreamWriter]):
        self._process = process
        self._incoming, self._outgoing = streams
        self._waiting: deque[asyncio.Future[Reply]] = deque()
        self._alive = True
        self._reading = asyncio.create_task(self._read_replies())
        self.on_death: Callable[[], None] = lambda: None

    @classmethod
    async def start(cls, directory: Path, dimensions: int) -> "EdgeProcess":
        """Returns once the shard in `directory` is open. Raises IndexUnavailable if that fails."""
        ours, theirs = socket.socketpair()
        with theirs:
            arguments = [str(theirs.fileno()), str(directory), str(dimensions)]
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "choir.memory.indexes.edge_main",
                *arguments,
                pass_fds=[theirs.fileno()],
                stdin=asyncio.subprocess.DEVNULL,
            )
        started = cls(process, await asyncio.open_unix_connection(sock=ours))
        try:
            await started._reply_within(START_SECONDS)
        except BaseException:
            await started.stop()
            raise
        return started

    @property
    def pid(self) -> int:
        return self._process.pid

    async def call(self, request: Request, seconds: float | None = CALL_SECONDS) -> Reply:
        """Raises IndexUnavailable if the engine refuses, or the process dies or does not answer in time."""
        if not self._alive:
            raise IndexUnavailable("the index process is not running")
        self._outgoing.write(frame(request))
        reply = await self._reply_within(seconds)
        if isinstance(reply, Failed):
            raise IndexUnavailable(f"the index refused: {reply.message}")
        return reply

    def kill(self) -> None:
        """End the process at once; `on_death` is told."""
        self._die()

    async def retire(self) -> None:
        """Let requests under way be answered, then stop."""
        if self._waiting:
            await asyncio.wait(list(self._waiting), timeout=CALL_SECONDS)
        await self.stop()

    async def stop(self) -> None:
        """End the process and wait until it is gone."""
        self.on_death = lambda: None
        self._reading.cancel()
        self._die()
        await self._process.wait()

    async def _reply_within(self, seconds: float | None) -> Reply:
        future: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
        self._waiting.append(future)
        try:
            async with asyncio.timeout(seconds):
                return await future
        except TimeoutError as error:
            self._die()
            raise IndexUnavailable(f"the index did not answer within {seconds:g} s") from error

    async def _read_replies(self) -> None:
        try:
            while True:
                (length,) = LENGTH.unpack(await self._incoming.readexactly(LENGTH.size))
                if length > MAXIMUM_FRAME_BYTES:
                    break
                reply = reply_decoder.decode(await self._incoming.readexactly(length))
                future = self._waiting.popleft()
                if not future.done():
                    future.set_result(reply)
        except (asyncio.IncompleteReadError, ConnectionError, struct.error):
            pass  # the process is gone: everything below tells those who wait
        self._die()

    def _die(self) -> None:
        if not self._alive:
            return
        self._alive = False
        self._outgoing.close()
        if self._process.returncode is None:
            self._process.kill()
        while self._waiting:
            future = self._waiting.popleft()
            if not future.done():
                future.set_exception(IndexUnavailable("the index process died"))
                future.exception()  # seen, also where the caller has given up
        self.on_death()
