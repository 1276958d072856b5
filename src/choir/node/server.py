"""Serving a node over HTTP until it is told to stop."""

import asyncio
import contextlib
import signal
import socket
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, Final, cast

import msgspec
import uvicorn
import uvloop
from litestar.types import ASGIApp

from choir.api.live.socket import LiveSocket
from choir.node.long_targets import LongTargets
from choir.node.node import Node, favour_the_event_loop
from choir.node.settings import Settings

_BACKLOG: Final = 2048


class PortTaken(RuntimeError):
    """The address cannot be listened on; the message says what to do."""


class _Server(uvicorn.Server):
    """Stops on Ctrl-C and SIGTERM without raising the signal again: a clean stop is success."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self.handle_exit, number, None)
        try:
            yield
        finally:
            for number in (signal.SIGINT, signal.SIGTERM):
                loop.remove_signal_handler(number)


def serve(settings: Settings, on_ready: Callable[[Node, str], None]) -> None:
    """Run a node until it is stopped. ``on_ready(node, url)`` is called once it accepts requests."""
    uvloop.run(_serve(settings, on_ready))


async def _serve(settings: Settings, on_ready: Callable[[Node, str], None]) -> None:
    listener = _listen(settings.host, settings.port)
    with contextlib.closing(listener):
        favour_the_event_loop()
        # The port that was asked for may be 0, any free one; people reach the node by the one it got.
        node = Node(msgspec.structs.replace(settings, port=listener.getsockname()[1]))
        app = await node.start()
        try:
            server = make_server(node, app)
            host, port = listener.getsockname()[:2]
            asyncio.get_running_loop().call_soon(on_ready, node, f"http://{_bracketed(host)}:{port}")
            await server.serve(sockets=[listener])
        finally:
            await node.close()


def make_server(node: Node, app: ASGIApp) -> uvicorn.Server:
    """A server of a started node's application and of its live connections."""
    config = uvicorn.Config(
        cast(Any, app),
        http=LongTargets,
        ws=cast(Any, partial(LiveSocket, node.live)),
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=1,
        backlog=_BACKLOG,
    )
    return _Server(config)


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        # Listening at once, not when the node is ready: two sockets that only bind may share an address.
        listener.listen(_BACKLOG)
    except OSError as error:
        listener.close()
        raise PortTaken(
            f"cannot listen on {host}:{port}: {error.strerror}; stop what uses it or choose another with --port"
        ) from error
    return listener


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host
