"""`choir bench realtime`: from the commit of a message to its delivery (docs/reference/performance.md).

Node, receivers and the bare server that the node is compared with run in processes of their own on this machine and
read one clock. A message is committed when its block is durable, and delivered when its bytes have reached a receiver.
"""

import asyncio
import itertools
import sys
import tempfile
import time
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import aiohttp
import msgspec
import numpy as np
from numpy.typing import NDArray

from choir.bench.processes import resident_bytes
from choir.bench.rest import make_data_dir
from choir.bench.workload import Workload
from choir.client.signing import make_content
from choir.ledger.proofs import Content, content_hash_of
from choir.ledger.transactions import AnyBody, CreateThread, PostMessage

MOST_CLIENTS: Final = 1000
SOME_CLIENTS: Final = 100
PACED_MESSAGES: Final = 120
MESSAGES_PER_S: Final = 20
BURST_MESSAGES: Final = 60
_SETTLING_SECONDS: Final = 2.0
_ENDING_SECONDS: Final = 300.0
_ANSWER_SECONDS: Final = 300.0
_THREAD: Final = "ab" * 16
_AUTHOR: Final = 1
_TEXT: Final = (
    "Whoever follows a thread wants to see the next message when it is written, not when the page is opened again: "
    "people answer each other, approve what others bring, and cite it elsewhere. "
)

Report = Callable[[str], None]
# Rows of a sequence number and nanoseconds.
Times = NDArray[np.int64]


async def measure(report: Report) -> dict[str, Any]:
    """Every figure of live delivery, as one JSON object; ``report`` is told what is being measured."""
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        figures = await _measure_node(directory, report)
        report("a bare server of the websockets library")
        figures |= await _measure_bare(directory)
    for kind in ("deliveries_per_s", "burst_deliveries_per_s"):
        figures[f"{kind}_ratio"] = round(figures[kind] / figures[f"bare_{kind}"], 2)
    return figures


# The node


async def _measure_node(directory: Path, report: Report) -> dict[str, Any]:
    workload = Workload(accounts=2, time_ms=time.time_ns() // 1_000_000)
    data_dir, committed_file = directory / "node", directory / "committed"
    data_dir.mkdir()
    make_data_dir(data_dir, workload)
    delivered: dict[int, Times] = {}
    async with _process("realtime_node", str(data_dir), str(committed_file)) as node:
        port = int(await _answer(node))
        async with _crowd(directory, port, _THREAD) as crowd, _Author(workload, port) as author:
            report("one subscriber")
            await crowd.connect(1)
            delivered[1] = await author.pace(crowd, directory / "texts")
            report(f"{MOST_CLIENTS} subscribers")
            before_bytes = await _settled_bytes(node)
            await crowd.connect(MOST_CLIENTS - 1)
            idle_kb = (await _settled_bytes(node) - before_bytes) / (MOST_CLIENTS - 1) / 1024
            delivered[MOST_CLIENTS] = await author.pace(crowd)
            burst = await author.burst(crowd)
            report(f"{SOME_CLIENTS} subscribers")
            await crowd.keep(SOME_CLIENTS)
            delivered[SOME_CLIENTS] = await author.pace(crowd)
    committed = _read_times(committed_file)
    figures: dict[str, Any] = {}
    for clients in sorted(delivered):
        waited_ms = _waited_ns(delivered[clients], committed) / 1e6
        figures[f"commit_to_delivery_ms_p50_at_{clients}"] = _percentile(waited_ms, 50)
        figures[f"commit_to_delivery_ms_p99_at_{clients}"] = _percentile(waited_ms, 99)
    figures["deliveries_per_s"] = _rate_one_by_one(delivered[MOST_CLIENTS], committed)
    figures["burst_deliveries_per_s"] = _rate_of_burst(burst, committed)
    return figures | {"idle_client_kb": round(idle_kb, 1)}


class _Author:
    """Posts messages over HTTP. Every transaction of this ledger is one event, so the events are counted here."""

    def __init__(self, workload: Workload, port: int) -> None:
        self._workload = workload
        self._url = f"http://127.0.0.1:{port}"
        self._seq = 0

    async def __aenter__(self) -> "_Author":
        self._session = aiohttp.ClientSession(self._url)
        await self._post(CreateThread(thread_id=_THREAD, privacy="public"), None, "final")
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._session.close()

    async def pace(self, crowd: "_Crowd", texts_file: Path | None = None) -> Times:
        """So many messages a second, whether or not the last one has reached everybody."""
        loop = asyncio.get_running_loop()
        due = loop.time()
        for _ in range(PACED_MESSAGES):
            await self._write("final")
            due += 1 / MESSAGES_PER_S
            await asyncio.sleep(max(0.0, due - loop.time()))
        return await crowd.collect(self._seq, texts_file)

    async def burst(self, crowd: "_Crowd") -> Times:
        """As fast as the node admits them."""
        for _ in range(BURST_MESSAGES):
            await self._write("admitted")
        return await crowd.collect(self._seq)

    async def _write(self, wait: str) -> None:
        content = make_content(self._workload.keys[_AUTHOR].address, _THREAD, f"Message {self._seq}. {_TEXT}")
        body = PostMessage(thread_id=_THREAD, content_hash=content_hash_of(content), priors=())
        await self._post(body, content, wait)

    async def _post(self, body: AnyBody, content: Content | None, wait: str) -> None:
        raw = b'{"tx":' + self._workload.sign(_AUTHOR, body).raw
        if content is not None:
            raw += b',"content":' + msgspec.json.encode({"salt": content.salt, "text": content.text})
        async with self._session.post(f"/v1/tx?wait={wait}", data=raw + b"}") as response:
            if response.status not in (200, 202):
                raise RuntimeError(f"the node answered {response.status}: {(await response.text())[:300]}")
        self._seq += 1


# What it is compared with


async def _measure_bare(directory: Path) -> dict[str, Any]:
    """The same texts, to as many of the same receivers."""
    sent_file, texts_file = directory / "sent", directory / "texts"
    async with _process("realtime_broadcast", str(texts_file), str(sent_file)) as server:
        port = int(await _answer(server))
        async with _crowd(directory, port, None) as crowd:
            await crowd.connect(1)
            before_bytes = await _settled_bytes(server)
            await crowd.connect(MOST_CLIENTS - 1)
            idle_kb = (await _settled_bytes(server) - before_bytes) / (MOST_CLIENTS - 1) / 1024
            paced = await crowd.collect(await _broadcast(server, PACED_MESSAGES, 1 / MESSAGES_PER_S))
            burst = await crowd.collect(await _broadcast(server, BURST_MESSAGES, 0))
    sent = _read_times(sent_file)
    return {
        "bare_delivery_ms_p99_at_1000": _percentile(_waited_ns(paced, sent) / 1e6, 99),
        "bare_deliveries_per_s": _rate_one_by_one(paced, sent),
        "bare_burst_deliveries_per_s": _rate_of_burst(burst, sent),
        "bare_idle_client_kb": round(idle_kb, 1),
    }


async def _broadcast(server: Process, messages: int, pause_seconds: float) -> int:
    return int(await _answer(server, f"{messages} {pause_seconds}\n"))


# The processes


@asynccontextmanager
async def _process(module: str, *arguments: str) -> AsyncIterator[Process]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", f"choir.bench.{module}", *arguments, stdin=PIPE, stdout=PIPE
    )
    try:
        yield process
        if module == "realtime_node":
            process.terminate()
        elif process.stdin is not None:
            process.stdin.close()
        await asyncio.wait_for(process.wait(), _ENDING_SECONDS)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def _answer(process: Process, line: str = "") -> str:
    """The next line that a process prints, after it was told one."""
    if process.stdin is None or process.stdout is None:
        raise RuntimeError("the process has no input or output")
    process.stdin.write(line.encode())
    answer = await asyncio.wait_for(process.stdout.readline(), _ANSWER_SECONDS)
    if not answer:
        raise RuntimeError("a process of the measurement ended early; its error is above")
    return answer.decode()


class _Crowd:
    """The receivers."""

    def __init__(self, process: Process, directory: Path, port: int, thread_id: str | None) -> None:
        self._process = process
        self._files = (directory / f"received-{port}-{number}" for number in itertools.count())
        self._target = {"port": port, "thread_id": thread_id}

    async def connect(self, count: int) -> None:
        await self._tell({"do": "connect", "count": count, **self._target})

    async def keep(self, count: int) -> None:
        await self._tell({"do": "keep", "count": count})

    async def collect(self, seq: int, texts_file: Path | None = None) -> Times:
        """Wait until everybody has update ``seq``; what came since the last time."""
        file = next(self._files)
        await self._tell({"do": "collect", "seq": seq, "file": str(file), "texts_file": str(texts_file or "")})
        return _read_times(file)

    async def _tell(self, command: dict[str, Any]) -> None:
        await _answer(self._process, msgspec.json.encode(command).decode() + "\n")


@asynccontextmanager
async def _crowd(directory: Path, port: int, thread_id: str | None) -> AsyncIterator[_Crowd]:
    async with _process("realtime_clients") as process:
        yield _Crowd(process, directory, port, thread_id)


async def _settled_bytes(process: Process) -> int:
    await asyncio.sleep(_SETTLING_SECONDS)
    return resident_bytes(process.pid)


# The figures


def _read_times(file: Path) -> Times:
    return np.fromfile(file, dtype=np.int64).reshape(-1, 2)


def _waited_ns(delivered: Times, begun: Times) -> NDArray[np.int64]:
    """Of each delivery, how long after its message's beginning it came."""
    order = np.argsort(begun[:, 0])
    place = order[np.searchsorted(begun[:, 0], delivered[:, 0], sorter=order)]
    waited: NDArray[np.int64] = delivered[:, 1] - begun[place, 1]
    return waited


def _rate_one_by_one(delivered: Times, begun: Times) -> int:
    """Deliveries over the time in which any was under way: for each message until the last receiver had it."""
    waited_ns = _waited_ns(delivered, begun)
    taken_ns = sum(int(waited_ns[delivered[:, 0] == seq].max()) for seq in np.unique(delivered[:, 0]))
    return int(len(delivered) / (taken_ns / 1e9))


def _rate_of_burst(delivered: Times, begun: Times) -> int:
    """Deliveries from the beginning of the first message to the last delivery of all."""
    first_ns = begun[begun[:, 0] == delivered[:, 0].min(), 1][0]
    return int(len(delivered) / ((delivered[:, 1].max() - first_ns) / 1e9))


def _percentile(values: NDArray[np.float64], rank: int) -> float:
    return round(float(np.percentile(values, rank)), 3)
