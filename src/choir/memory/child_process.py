"""A Python process of our own beside the node: started, asked one thing after the other, and noticed when it dies.

It takes what would hold the node's interpreter lock. Both sides speak length-prefixed frames over two socket pairs: one
for the event loop, one for a thread that does not go through it. The process ends when the node closes its end of one.
"""

import asyncio
import select
import signal
import socket
import subprocess
import sys
from collections import deque
from collections.abc import Callable, Sequence
from typing import Final

from choir.memory.child_line import ChildDied, Frames, Line, framed, read_frame, send_frame

START_SECONDS: Final = 60.0


class ChildProcess:
    """One running process. Replies come in the order of the requests, on each of its two ways."""

    def __init__(self, process: subprocess.Popen[bytes], line: Line) -> None:
        self._process = process
        self._loop = asyncio.get_running_loop()
        self._line = line
        self._transport: asyncio.Transport | None = None
        self._waiting: deque[asyncio.Future[bytes]] = deque()
        self._is_alive = True
        self._ended: asyncio.Future[int] | None = None
        self.on_death: Callable[[], None] = lambda: None

    @classmethod
    async def start(cls, module: str, arguments: Sequence[str]) -> tuple["ChildProcess", bytes]:
        """``python -m module FD,FD arguments…``; returns it with its first frame, which it sends when it is ready.
        Raises ``ChildDied``."""
        ours, theirs = socket.socketpair()
        our_line, their_line = socket.socketpair()
        with theirs, their_line:
            try:
                process = _run(module, [theirs.fileno(), their_line.fileno()], arguments)
            except OSError as error:
                ours.close()
                our_line.close()
                raise ChildDied(str(error)) from error
        started = cls(process, Line(our_line))
        ready = started._expect()
        ours.setblocking(False)
        transport, _ = await asyncio.get_running_loop().create_unix_connection(lambda: _Replies(started), sock=ours)
        started._transport = transport
        try:
            return started, await started._within(ready, START_SECONDS)
        except BaseException:
            await started.stop()
            raise

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def is_alive(self) -> bool:
        return self._is_alive

    async def call(self, request: bytes, seconds: float | None) -> bytes:
        """The reply to ``request``. Raises ``ChildDied``, also when none comes in time: then the process is ended."""
        if not self._is_alive or self._transport is None:
            raise ChildDied("the process is not running")
        reply = self._expect()
        self._transport.write(framed(request))
        return await self._within(reply, seconds)

    def send_directly(self, request: bytes, seconds: float) -> int:
        """Send from a thread, always the same one; returns what `receive_directly` wants. Raises ``ChildDied``."""
        try:
            return self._line.send(request, seconds)
        except TimeoutError as error:
            raise self._unanswered(seconds) from error

    def receive_directly(self, number: int, seconds: float) -> bytes:
        """Wait on that thread for the reply to the request of that number; those to earlier ones are lost. Raises
        ``ChildDied``, also when none comes in time, or no reply at all: then the process is ended."""
        try:
            return self._line.receive(number, seconds)
        except ChildDied:
            self._loop.call_soon_threadsafe(self.kill)
            raise
        except TimeoutError as error:
            raise self._unanswered(seconds) from error

    def _unanswered(self, seconds: float) -> ChildDied:
        self._loop.call_soon_threadsafe(self.kill)
        return ChildDied(f"the process did not answer within {seconds:g} s")

    def kill(self) -> None:
        """End the process at once; `on_death` is told."""
        if not self._is_alive:
            return
        self._is_alive = False
        self._line.close()
        if self._transport is not None:
            self._transport.close()
        self._process.kill()
        self._ended = self._loop.run_in_executor(None, self._process.wait)
        while self._waiting:
            reply = self._waiting.popleft()
            if not reply.done():
                reply.set_exception(ChildDied("the process died"))
                reply.exception()  # seen, also where the caller has given up
        self.on_death()

    async def retire(self, seconds: float) -> None:
        """Let requests under way be answered, then stop."""
        if self._waiting:
            await asyncio.wait(list(self._waiting), timeout=seconds)
        await self.stop()

    async def stop(self) -> None:
        """End the process and wait until it is gone."""
        self.on_death = lambda: None
        self.kill()
        if self._ended is not None:
            await self._ended

    def receive(self, frame: bytes) -> None:
        """A reply came."""
        if self._waiting:
            reply = self._waiting.popleft()
            if not reply.done():
                reply.set_result(frame)

    def _expect(self) -> "asyncio.Future[bytes]":
        reply: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        self._waiting.append(reply)
        return reply

    async def _within(self, reply: "asyncio.Future[bytes]", seconds: float | None) -> bytes:
        try:
            async with asyncio.timeout(seconds):
                return await reply
        except TimeoutError as error:
            self.kill()
            raise ChildDied(f"the process did not answer within {seconds:g} s") from error


class _Replies(asyncio.Protocol):
    """Hands on what arrives, frame by frame."""

    def __init__(self, owner: ChildProcess) -> None:
        self._owner = owner
        self._frames = Frames()

    def data_received(self, data: bytes) -> None:
        self._frames.add(data)
        try:
            while (frame := self._frames.take()) is not None:
                self._owner.receive(frame)
        except ChildDied:
            self._owner.kill()

    def connection_lost(self, _error: Exception | None) -> None:
        self._owner.kill()


def _run(module: str, descriptors: list[int], arguments: Sequence[str]) -> "subprocess.Popen[bytes]":
    """Takes half a millisecond. The event loop's own call forks: that copies the page tables of a large node, which
    holds it for twenty."""
    command = [sys.executable, "-m", module, ",".join(map(str, descriptors)), *arguments]
    return subprocess.Popen(command, pass_fds=descriptors, stdin=subprocess.DEVNULL)


def serve(descriptors: str, prepare: Callable[[], tuple[bytes, Callable[[bytes], bytes]]]) -> None:
    """The child's side: ``prepare`` gives the first frame and what answers a request; then one request after the other
    until the node is gone. ``descriptors`` are those of the command line."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a Ctrl-C stops the node, which then closes the sockets
    sockets = [socket.socket(fileno=int(descriptor)) for descriptor in descriptors.split(",")]
    connections = {connection.fileno(): connection for connection in sockets}
    poll = select.poll()
    for descriptor in connections:
        poll.register(descriptor, select.POLLIN)
    ready, answer = prepare()
    send_frame(sockets[0], ready)
    while True:
        for descriptor, _ in poll.poll():
            request = read_frame(connections[descriptor])
            if request is None:
                return
            send_frame(connections[descriptor], answer(request))
