"""`choir bench chorus`: what Choir adds to the time of a model, in a run that a client watches over HTTP.

Node, model and client are processes of their own and read one clock. The model is `choir.bench.model_server`, which
knows when it was asked, when its first words left and when it had ended. What lies between its end and the next
question, and between its words and the client, is Choir's.
"""

import asyncio
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import aclosing, asynccontextmanager
from pathlib import Path
from typing import Any, Final

import aiohttp
import msgspec

from choir.bench.memory import EMBEDDER, percentile
from choir.bench.memory_corpus import Writers, load_corpus, make_texts, write_all
from choir.bench.model_server import Pace, Timing
from choir.bench.rest import START_SECONDS, running_node, write_node_key
from choir.client import Client
from choir.client.chorus_models import RunFinished, StepFinished, Token
from choir.engine.embedded.engine import EmbeddedEngine
from choir.memory.memory import Memory
from choir.node.follower import Follower
from choir.primitives.canonical import canonical_struct
from choir.primitives.signatures import SigningKey

RECORDS: Final = 2_000
RUNS: Final = 30
PACE: Final = Pace(first_ms=40, pieces=20, gap_ms=4)
_WARM_UP: Final = 2
_STEPS: Final = 6
_MANY: Final = ("--chorus-per-hour", "3600000", "--searches-per-hour", "3600000")

Report = Callable[[str], None]


class Watched(msgspec.Struct, frozen=True):
    """When a client had what of one run, in nanoseconds of the machine's monotonic clock."""

    asked_ns: int
    first_token_ns: dict[str, int]
    finished_ns: dict[str, int]
    ended_ns: int


async def measure(directory: Path, report: Report, *, runs: int = RUNS, records: int = RECORDS) -> dict[str, Any]:
    """Figures of ``runs`` runs each over ``records`` messages made from the Markdown of ``directory``. Raises
    ``ValueError`` where there is none."""
    corpus = load_corpus(directory)
    questions = [f"What is said about {query}?" for query in corpus.queries[: runs + _WARM_UP]]
    with tempfile.TemporaryDirectory() as name:
        data_dir = Path(name)
        report("writing and indexing")
        count = await _fill(data_dir, make_texts(corpus.messages, records))
        figures: dict[str, Any] = {"records": count, "embedder": EMBEDDER}
        report("runs with a model of known pace")
        figures |= await _measure_paced(data_dir, questions)
        report("runs with the built-in model")
        return figures | await _measure_extractive(data_dir, questions)


async def _fill(directory: Path, texts: Any) -> int:
    """A ledger and a memory that hold the texts, indexed."""
    writers = Writers(threads=50, time_ms=time.time_ns() // 1_000_000)
    (directory / "genesis.json").write_bytes(canonical_struct(writers.genesis))
    write_node_key(directory, writers.keys[0])
    engine = EmbeddedEngine(directory, writers.keys[0], writers.genesis)
    await engine.start()
    memory = Memory(directory, writers.keys[0])
    follower = Follower(engine, memory)
    await follower.start()
    try:
        count = await write_all(engine, memory, writers, texts)
        await follower.caught_up()
        memory.start_search(EMBEDDER, "auto")
        await memory.indexed()
        return count
    finally:
        await follower.close()
        await memory.close()
        await engine.close()


async def _measure_paced(directory: Path, questions: Sequence[str]) -> dict[str, Any]:
    async with (
        _running_model(PACE) as model_url,
        running_node(directory, *_MANY, "--chorus-model", f"{model_url}/v1#paced") as url,
        Client(url, retry_delays_seconds=()) as client,
        aiohttp.ClientSession(model_url) as session,
    ):
        await client.sign_in(SigningKey.generate())
        watched: list[tuple[Watched, list[Timing]]] = []
        for question in questions:
            run = await _watch(client, question)
            async with session.get("/timings") as response:
                watched.append((run, msgspec.json.decode(await response.read(), type=list[Timing])))
    return _compare(watched[_WARM_UP:])


def _compare(watched: Sequence[tuple[Watched, list[Timing]]]) -> dict[str, Any]:
    steps_ms: dict[str, list[float]] = {}
    first_ms: list[float] = []
    model_ms: list[float] = []
    runs_ms: list[float] = []
    for run, timings in watched:
        if len(timings) != _STEPS:
            raise RuntimeError(f"the model was asked {len(timings)} times in one run")
        began_ns = run.asked_ns
        for timing in timings:
            own_ns, ended_ns = timing.ended_ns - timing.asked_ns, run.finished_ns[timing.step]
            model_ms.append(own_ns / 1e6)
            steps_ms.setdefault(timing.step, []).append((ended_ns - began_ns - own_ns) / 1e6)
            first_ms.append((run.first_token_ns[timing.step] - timing.first_ns) / 1e6)
            began_ns = ended_ns
        runs_ms.append((run.ended_ns - run.asked_ns) / 1e6 - sum(model_ms[-_STEPS:]))
    every_step = [added for times in steps_ms.values() for added in times]
    return {
        "runs": len(watched),
        "model_ms_per_step": percentile(model_ms, 50),
        **_latencies("step_added", every_step),
        **{f"{step}_added_ms_p50": percentile(times, 50) for step, times in steps_ms.items()},
        **_latencies("first_token_added", first_ms),
        **_latencies("run_added", runs_ms),
    }


async def _measure_extractive(directory: Path, questions: Sequence[str]) -> dict[str, Any]:
    async with running_node(directory, *_MANY) as url, Client(url, retry_delays_seconds=()) as client:
        await client.sign_in(SigningKey.generate())
        watched = [await _watch(client, question) for question in questions][_WARM_UP:]
    runs_ms = [(run.ended_ns - run.asked_ns) / 1e6 for run in watched]
    first_ms = [(min(run.first_token_ns.values()) - run.asked_ns) / 1e6 for run in watched]
    return {**_latencies("extractive_run", runs_ms), **_latencies("extractive_first_token", first_ms)}


async def _watch(client: Client, question: str) -> Watched:
    first: dict[str, int] = {}
    finished: dict[str, int] = {}
    asked_ns = time.monotonic_ns()
    async with aclosing(client.chorus.ask(question)) as events:
        async for event in events:
            now_ns = time.monotonic_ns()
            if isinstance(event, Token):
                first.setdefault(event.step, now_ns)
            elif isinstance(event, StepFinished):
                finished[event.step] = now_ns
            last = event
    if not isinstance(last, RunFinished):
        raise RuntimeError(f"the run ended with {last}")
    return Watched(asked_ns, first, finished, time.monotonic_ns())


@asynccontextmanager
async def _running_model(pace: Pace) -> AsyncIterator[str]:
    """The model in a process of its own; yields its address."""
    arguments = (str(pace.first_ms), str(pace.pieces), str(pace.gap_ms))
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "choir.bench.model_server", *arguments, stdout=asyncio.subprocess.PIPE
    )
    try:
        if process.stdout is None:
            raise RuntimeError("the model has no output")
        yield (await asyncio.wait_for(process.stdout.readline(), START_SECONDS)).decode().strip()
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


def _latencies(name: str, times_ms: Sequence[float]) -> dict[str, float]:
    return {f"{name}_ms_p50": percentile(times_ms, 50), f"{name}_ms_p99": percentile(times_ms, 99)}
