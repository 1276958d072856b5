"""`choir bench ledger`: what the ledger costs on this machine, all in one run (docs/reference/performance.md)."""

import asyncio
import itertools
import statistics
import tempfile
import time
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

import nacl.bindings

from choir.bench.rest import measure_rest
from choir.bench.workload import Workload
from choir.engine.embedded.engine import EmbeddedEngine
from choir.engine.embedded.store import Store
from choir.ledger.blocks import Receipt
from choir.ledger.entities import ACCOUNTS, THREADS, Account, Thread
from choir.ledger.envelope import CheckedTransaction
from choir.ledger.genesis import make_state
from choir.ledger.state import State, decode_entry
from choir.ledger.transactions import Transfer
from choir.ledger.transition import Block, apply_block
from choir.primitives.addresses import encode_address
from choir.primitives.signatures import SigningKey

VERIFY_COUNT: Final = 10_000
APPLY_COUNT: Final = 40_000
ENGINE_COUNT: Final = 30_000
LIGHT_COUNT: Final = 500
LIGHT_PAUSE_SECONDS: Final = 0.005
BLOCK_SIZE: Final = 1000
_IN_FLIGHT: Final = 3000

Report = Callable[[str], None]


async def measure(report: Report) -> dict[str, Any]:
    """Every figure of the ledger, as one JSON object; ``report`` is told what is being measured."""
    figures: dict[str, Any] = {}
    report("signatures alone")
    figures["verify_per_s"] = measure_verify()
    report("the transition alone")
    figures["apply_per_s"] = measure_apply()
    report("the engine under load")
    figures |= await measure_engine()
    figures["engine_to_verify_ratio"] = round(figures["engine_tx_per_s"] / figures["verify_per_s"], 3)
    report("REST under load")
    figures |= await measure_rest()
    report("start with a large state")
    figures |= await measure_start()
    report("commit time against the size of the state")
    figures |= await measure_commit_times()
    return figures


def measure_verify() -> int:
    """Ed25519 verifications per second: libsodium alone, one thread, 300-byte messages."""
    key = SigningKey(sha256(b"bench").digest())
    secret = key.seed + key.public_key
    signed = [nacl.bindings.crypto_sign(sha256(str(n).encode()).digest() * 9 + b"-" * 12, secret) for n in range(500)]
    started = time.perf_counter()
    for message in itertools.islice(itertools.cycle(signed), VERIFY_COUNT):
        nacl.bindings.crypto_sign_open(message, key.public_key)
    return int(VERIFY_COUNT / (time.perf_counter() - started))


def measure_apply() -> int:
    """Transactions per second through `apply_block` and `State.commit`: state commitment included, signatures not."""
    workload = Workload()
    transactions = list(itertools.islice(workload.transactions(), APPLY_COUNT))
    state = make_state(workload.genesis)
    seconds = 0.0
    for height, start in enumerate(range(0, APPLY_COUNT, BLOCK_SIZE), start=1):
        block = Block(height, 1000 * (height + 1), transactions[start : start + BLOCK_SIZE])
        started = time.perf_counter()
        result = apply_block(state, block)
        state.commit(result.changes)
        seconds += time.perf_counter() - started
        _require_all_ok(result.receipts)
    return int(APPLY_COUNT / seconds)


async def measure_engine() -> dict[str, Any]:
    """Signed and durable through the engine: throughput with thousands waiting, latency with one at a time."""
    workload = Workload(time_ms=_now_ms())
    transactions = list(itertools.islice(workload.transactions(), ENGINE_COUNT))
    with tempfile.TemporaryDirectory() as directory:
        engine = EmbeddedEngine(Path(directory), workload.keys[0], workload.genesis)
        await engine.start()
        try:
            warm_up, rest = transactions[:2000], transactions[2000:]
            await _submit_all(engine, warm_up)
            started = time.perf_counter()
            receipts = await _submit_all(engine, rest)
            seconds = time.perf_counter() - started
            _require_all_ok(receipts)
            blocks = receipts[-1].height - receipts[0].height + 1
            latencies_ms = await _light_load(engine, workload)
        finally:
            await engine.close()
    return {
        "engine_tx_per_s": int(len(rest) / seconds),
        "engine_tx_per_block": round(len(rest) / blocks, 1),
        "submit_to_receipt_ms_p50": percentile(latencies_ms, 50),
        "submit_to_receipt_ms_p99": percentile(latencies_ms, 99),
    }


async def _submit_all(engine: EmbeddedEngine, transactions: list[CheckedTransaction]) -> list[Receipt]:
    room = asyncio.Semaphore(_IN_FLIGHT)

    async def one(transaction: CheckedTransaction) -> Receipt:
        try:
            return await (await engine.submit(transaction)).receipt
        finally:
            room.release()

    tasks: list[asyncio.Task[Receipt]] = []
    for transaction in transactions:
        await room.acquire()
        tasks.append(asyncio.create_task(one(transaction)))
        if len(tasks) % 64 == 0:
            await asyncio.sleep(0)
    return list(await asyncio.gather(*tasks))


async def _light_load(engine: EmbeddedEngine, workload: Workload) -> list[float]:
    latencies_ms: list[float] = []
    for _ in range(LIGHT_COUNT):
        transaction = workload.sign(1, Transfer(to=workload.keys[2].address, amount="1"))
        started = time.perf_counter()
        _require_all_ok([await (await engine.submit(transaction)).receipt])
        latencies_ms.append((time.perf_counter() - started) * 1000)
        await asyncio.sleep(LIGHT_PAUSE_SECONDS)
    return latencies_ms


async def measure_start() -> dict[str, Any]:
    """Seconds from opening a ledger of 100,000 accounts and 20,000 threads until it accepts transactions."""
    workload = Workload(accounts=1, time_ms=_now_ms())
    with tempfile.TemporaryDirectory() as directory:
        _write_ledger(Path(directory), workload, accounts=100_000, threads=20_000)
        started = time.perf_counter()
        engine = EmbeddedEngine(Path(directory), workload.keys[0], workload.genesis)
        await engine.start()
        seconds = time.perf_counter() - started
        await engine.close()
    return {"start_s": round(seconds, 3)}


async def measure_commit_times() -> dict[str, Any]:
    """Median milliseconds to apply and durably commit a block of 100 transfers, at 1, 10 and 100 times the state."""
    figures: dict[str, Any] = {}
    for factor in (1, 10, 100):
        workload = Workload(accounts=200, time_ms=_now_ms())
        with tempfile.TemporaryDirectory() as directory:
            _write_ledger(Path(directory), workload, accounts=1000 * factor, threads=200 * factor)
            engine = EmbeddedEngine(Path(directory), workload.keys[0], workload.genesis)
            await engine.start()
            times_ms = [await _time_block(engine, workload) for _ in range(40)]
            await engine.close()
        figures[f"block_commit_ms_at_{factor}x_state"] = round(statistics.median(times_ms[5:]), 2)
    return figures


async def _time_block(engine: EmbeddedEngine, workload: Workload) -> float:
    count = len(workload.keys)
    transactions = [
        workload.sign(n, Transfer(to=workload.keys[(n + 1) % count].address, amount="1")) for n in range(100)
    ]
    started = time.perf_counter()
    await _submit_all(engine, transactions)
    return (time.perf_counter() - started) * 1000


def _write_ledger(directory: Path, workload: Workload, *, accounts: int, threads: int) -> None:
    """A new ledger whose first state has that many more accounts and threads than its genesis."""
    state = make_state(workload.genesis)
    addresses = [encode_address(sha256(f"filler {n}".encode()).digest()) for n in range(accounts)]
    entries = [(key, decode_entry(key, value)) for key, value in state.items()]
    entries += [(ACCOUNTS.prefix + address, Account(nonce=3)) for address in addresses]
    entries += [
        (
            f"{THREADS.prefix}{sha256(str(n).encode()).hexdigest()[:32]}",
            Thread(co_authors=(addresses[n % accounts],), created_at_ms=1, privacy="public"),
        )
        for n in range(threads)
    ]
    store = Store(directory / "ledger.db", is_writer=True)
    store.initialise(workload.genesis, State(entries), None, "")
    store.close()


def percentile(values: list[float], rank: int) -> float:
    """The value that ``rank`` percent of the values do not exceed, rounded to µs."""
    ordered = sorted(values)
    return round(ordered[min(len(ordered) - 1, len(ordered) * rank // 100)], 3)


def _require_all_ok(receipts: list[Receipt]) -> None:
    refused = [receipt for receipt in receipts if receipt.code]
    if refused:
        raise RuntimeError(f"the workload was refused: {refused[0]}")


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
