"""The node as its clients see it: a real node in a process of its own, driven over HTTP on loopback."""

import asyncio
import itertools
import json
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import aiohttp

from choir.bench.workload import Workload
from choir.ledger.envelope import CheckedTransaction
from choir.ledger.transactions import Transfer
from choir.primitives.canonical import canonical_struct
from choir.primitives.signatures import SigningKey

LOAD_COUNT: Final = 6000
LOAD_CONNECTIONS: Final = 64
LIGHT_COUNT: Final = 300
LIGHT_PAUSE_SECONDS: Final = 0.005
# Far above what a busy machine needs: only a process that does not start takes so long.
START_SECONDS: Final = 300


@asynccontextmanager
async def running_node(directory: Path, *arguments: str) -> AsyncIterator[str]:
    """A node over ``directory`` on a free port; yields its URL and stops it."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "choir.cli.main",
        "--json",
        "up",
        "--port",
        "0",
        "--data-dir",
        str(directory),
        "--log-level",
        "warning",
        *arguments,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        if process.stdout is None:
            raise RuntimeError("the node has no output")
        announcement = await asyncio.wait_for(process.stdout.readuntil(b"}"), START_SECONDS)
        yield json.loads(announcement)["url"]
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


async def measure_rest() -> dict[str, Any]:
    """Transactions per second through ``POST /v1/tx?wait=final`` with 64 connections, and latency one at a time. Client
    and node share this machine."""
    workload = Workload(time_ms=time.time_ns() // 1_000_000)
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        make_data_dir(directory, workload)
        async with (
            running_node(directory) as url,
            aiohttp.ClientSession(url, connector=aiohttp.TCPConnector(limit=LOAD_CONNECTIONS)) as session,
        ):
            bodies = [_body(transaction) for transaction in _transfers(workload, LOAD_COUNT)]
            await _post_all(session, bodies[:600])
            started = time.perf_counter()
            await _post_all(session, bodies[600:])
            seconds = time.perf_counter() - started
            latencies_ms = await _light_load(session, workload)
    ordered = sorted(latencies_ms)
    return {
        "rest_tx_per_s": int((LOAD_COUNT - 600) / seconds),
        "rest_submit_to_receipt_ms_p50": round(ordered[len(ordered) // 2], 3),
        "rest_submit_to_receipt_ms_p99": round(ordered[len(ordered) * 99 // 100], 3),
    }


async def _post_all(session: aiohttp.ClientSession, bodies: list[bytes]) -> None:
    """Post from as many workers as there are connections; each worker's accounts are its own."""

    async def worker(own: list[bytes]) -> None:
        for body in own:
            await _post(session, body)

    # Body n belongs to account n modulo the number of accounts; a worker takes whole accounts, so nonces stay in order.
    shares = [list(itertools.islice(bodies, start, None, LOAD_CONNECTIONS)) for start in range(LOAD_CONNECTIONS)]
    await asyncio.gather(*(worker(share) for share in shares))


async def _post(session: aiohttp.ClientSession, body: bytes) -> None:
    async with session.post("/v1/tx?wait=final", data=body) as response:
        if response.status != 200:
            raise RuntimeError(f"the node answered {response.status}: {(await response.text())[:300]}")
        await response.read()


async def _light_load(session: aiohttp.ClientSession, workload: Workload) -> list[float]:
    latencies_ms: list[float] = []
    for transaction in _transfers(workload, LIGHT_COUNT):
        started = time.perf_counter()
        await _post(session, _body(transaction))
        latencies_ms.append((time.perf_counter() - started) * 1000)
        await asyncio.sleep(LIGHT_PAUSE_SECONDS)
    return latencies_ms


def _transfers(workload: Workload, count: int) -> list[CheckedTransaction]:
    accounts = LOAD_CONNECTIONS  # one account a worker
    return [
        workload.sign(n % accounts, Transfer(to=workload.keys[(n + 1) % accounts].address, amount="1"))
        for n in range(count)
    ]


def _body(transaction: CheckedTransaction) -> bytes:
    return b'{"tx":' + transaction.raw + b"}"


def make_data_dir(directory: Path, workload: Workload) -> None:
    """What a node of the workload's chain needs to start."""
    (directory / "genesis.json").write_bytes(canonical_struct(workload.genesis))
    write_node_key(directory, workload.keys[0])


def write_node_key(directory: Path, key: SigningKey) -> None:
    (directory / "node.key").write_text(key.seed.hex())
