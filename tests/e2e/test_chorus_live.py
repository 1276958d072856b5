"""Runs over real connections: a broken one is taken up again, a killed node says so, and Ctrl-C cancels."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing, contextmanager
from pathlib import Path

import pytest

from choir.client import Client
from choir.client.chorus_models import AnyRunEvent, RunCancelled, RunFailed, RunFinished, Token
from choir.primitives.signatures import SigningKey
from tests.support.node import NodeProcess, running_node
from tests.support.patience import PATIENCE_SECONDS

SLOW = ("10", "2000", "50")
QUICK = ("10", "20", "5")


@contextmanager
def running_model(pace: tuple[str, str, str]) -> Iterator[str]:
    """A language model of a known pace in a process of its own; yields how a node is told of it."""
    command = [sys.executable, "-m", "choir.bench.model_server", *pace]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield f"{process.stdout.readline().strip()}/v1#paced"
    finally:
        process.kill()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()


@contextmanager
def node_with(tmp_path: Path, pace: tuple[str, str, str]) -> Iterator[NodeProcess]:
    with running_model(pace) as model, running_node(tmp_path / "node", chorus_model=model) as node:
        yield node


class Cut:
    """A network between client and node that can break its connections, and counts them."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._open: set[asyncio.StreamWriter] = set()
        self.connections = 0

    async def serve(self) -> asyncio.Server:
        return await asyncio.start_server(self._connect, "127.0.0.1", 0)

    def cut(self) -> None:
        for writer in self._open:
            writer.transport.abort()
        self._open.clear()

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        node_reader, node_writer = await asyncio.open_connection("127.0.0.1", self._port)
        self._open |= {writer, node_writer}
        await asyncio.gather(self._pass_on(reader, node_writer), self._pass_on(node_reader, writer))

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(65536):
                writer.write(data)
                await writer.drain()
        except ConnectionError:
            pass  # it was cut
        finally:
            writer.close()


@pytest.fixture(scope="module")
def slow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NodeProcess]:
    """A node whose model takes minutes for a step."""
    with node_with(tmp_path_factory.mktemp("slow"), SLOW) as node:
        yield node


@pytest.fixture
async def client(slow: NodeProcess) -> AsyncIterator[Client]:
    async with Client(slow.url) as client:
        await client.sign_in(SigningKey.generate())
        yield client


async def first_token(events: AsyncIterator[AnyRunEvent]) -> str:
    """The run's id, once it writes."""
    run_id = ""
    async for event in events:
        run_id = run_id or getattr(event, "run_id", "")
        if isinstance(event, Token):
            return run_id
    raise AssertionError("the run ended without a word")


async def test_a_broken_connection_is_taken_up_again_without_a_gap(tmp_path: Path) -> None:
    with node_with(tmp_path, QUICK) as node:
        cut = Cut(int(node.url.rpartition(":")[2]))
        server = await cut.serve()
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        async with Client(node.url) as direct:
            token = (await direct.sign_in(SigningKey.generate())).token
        async with server, Client(url, retry_delays_seconds=(0.1, 1.0, 5.0, 5.0)) as client:
            client.use_session(token)
            before, numbers, cuts = cut.connections, [], 0
            async with aclosing(client.chorus.ask("What is known?")) as events:
                async for event in events:
                    numbers.append(event.number)
                    if isinstance(event, Token) and cuts < 2 and len(numbers) > 10 * (cuts + 1):
                        cuts += 1
                        cut.cut()
        assert isinstance(event, RunFinished)
        assert numbers == list(range(1, len(numbers) + 1))
        assert cuts == 2
        assert cut.connections >= before + 2


async def test_leaving_the_stream_leaves_the_run_going(client: Client) -> None:
    async with aclosing(client.chorus.ask("What is known?")) as events:
        run_id = await first_token(events)
    assert (await client.chorus.run(run_id)).status == "running"
    ended = await client.chorus.cancel(run_id)
    assert isinstance(ended.events[-1], RunCancelled)
    async with aclosing(client.chorus.watch(run_id)) as events:
        kept = [event async for event in events]
    assert kept == list(ended.events)


async def test_a_killed_node_has_no_run_under_way_and_a_stopped_one_waits_for_none(tmp_path: Path) -> None:
    key = SigningKey.generate()
    with running_model(SLOW) as model:
        with running_node(tmp_path / "node", chorus_model=model) as node:
            async with Client(node.url, retry_delays_seconds=()) as client:
                await client.sign_in(key)
                async with aclosing(client.chorus.ask("What is known?")) as events:
                    run_id = await first_token(events)
                    last = (await client.chorus.run(run_id)).events[-1].number
                    node.kill()
        with running_node(tmp_path / "node", chorus_model=model) as node:
            async with Client(node.url) as client:
                await client.sign_in(key)
                run = await client.chorus.run(run_id)
                assert run.status == "failed"
                ending = run.events[-1]
                assert isinstance(ending, RunFailed)
                assert ending.error == "NodeStopped"
                assert ending.number > last
                async with aclosing(client.chorus.watch(run_id, after=last + 5)) as events:
                    assert [event async for event in events] == [ending]
                async with aclosing(client.chorus.ask("What is known?")) as events:
                    await first_token(events)
                    code = await asyncio.to_thread(node.stop)
            assert code == 0
            assert "Traceback" not in node.stderr()


def test_ctrl_c_cancels_the_run(slow: NodeProcess, tmp_path: Path) -> None:
    environment = {
        **os.environ,
        "CHOIR_NODE": slow.url,
        "CHOIR_KEYRING": str(tmp_path / "keyring.jwe"),
        "CHOIR_KEYRING_PASSWORD": "only for the test",
    }
    choir = [sys.executable, "-m", "choir.cli.main"]
    subprocess.run([*choir, "key", "new", "alice"], env=environment, check=True, capture_output=True)
    asking = subprocess.Popen(
        [*choir, "ask", "What is known?"],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    listing = [*choir, "runs", "list", "--json"]
    assert '"running"' in _until(listing, environment, '"running"')
    asking.send_signal(signal.SIGINT)
    _, told = asking.communicate(timeout=PATIENCE_SECONDS)
    assert asking.returncode == 130
    assert "Traceback" not in told
    assert '"cancelled"' in _until(listing, environment, '"cancelled"')


def _until(command: list[str], environment: dict[str, str], wanted: str) -> str:
    """What the command prints, once that has ``wanted`` in it."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        ran = subprocess.run(command, env=environment, check=True, capture_output=True, text=True)
        if wanted in ran.stdout or time.monotonic() > deadline:
            return ran.stdout
        time.sleep(0.1)
