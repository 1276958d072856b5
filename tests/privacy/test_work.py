"""What the node does for a stranger is the same whatever they may not read: statements on its databases, questions to
the vector index, calls to threads. How long an answer takes follows from these; no clock is read here."""

import asyncio
import re
import sqlite3
from asyncio.base_events import BaseEventLoop
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from choir.ledger.transactions import Erase, SubscribePremium
from choir.memory.indexes.edge import EdgeIndex
from choir.memory.indexes.exact import ExactIndex
from choir.memory.vector_index import Asked
from choir.memory.work_thread import WorkThread
from tests.privacy.test_interference import PUBLIC, begin
from tests.privacy.world import AsgiCaller, Person, World, running_world
from tests.support.chain import digest
from tests.support.patience import PATIENCE_SECONDS

SECRET = [
    "Zebulonia changes the blob fee market next Tuesday at noon, she says.",
    "Quadratic pasta is what Zebulonia calls a vote on salted water.",
    "Deeds of Zebulonia stand in no register that anybody else may see.",
]
OTHER = [
    "Marigolds flower beside the old canal until the first frosts arrive.",
    "Seven herons stood there, and an eighth came down while we watched it.",
    "The ferryman told us nothing of it, though we asked him more than once.",
]
QUESTIONS = ["Zebulonia", "zebulonia calls", *SECRET, "blob fee market zebulonia", "fee market", "unheard", PUBLIC[0]]
NOWHERE = digest("nowhere")[:32]
_VALUE = re.compile(r"[xX]'[0-9a-fA-F]*'|'(?:[^']|'')*'|(?<![\w.])-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?")
_POSTINGS = "SELECT data FROM keyword_postings WHERE slot BETWEEN ? AND ?"
_TERM = "SELECT term_id, term, messages, public_messages FROM keyword_terms WHERE term = ?"

Work = Counter[str]


class Meter:
    """Counts work by its kind, from whichever thread it comes."""

    def __init__(self) -> None:
        self.done: Work = Counter()

    def statement(self, sql: str) -> None:
        if not sql.startswith("PRAGMA"):  # how a thread's first read opens its connection, whatever it reads
            self.done[_VALUE.sub("?", sql)] += 1

    def note(self, kind: str) -> None:
        self.done[kind] += 1

    async def quiet(self) -> None:
        """Wait until nothing goes on behind the answers."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            seen = None
            while seen != self.done:
                seen = self.done.copy()
                await asyncio.sleep(0.1)

    async def of(self, ask: Callable[[], Any]) -> Work:
        """The work that one request makes."""
        self.done.clear()
        await ask()
        return self.done.copy()


class MeteredAsked:
    """Implements `Asked`."""

    def __init__(self, asked: Asked, meter: Meter) -> None:
        self._asked, self._meter = asked, meter

    def begin(self) -> bool:
        self._meter.note("index: begin")
        return self._asked.begin()

    def similarities(self, named: Sequence[int]) -> dict[int, float]:
        self._meter.note(f"index: similarities of {len(named)}")
        return self._asked.similarities(named)


@pytest.fixture
def meter(monkeypatch: pytest.MonkeyPatch) -> Meter:
    """Sees every connection that is opened from now on, every vector index, every call to a thread."""
    found = Meter()
    connect, in_executor, run = sqlite3.connect, BaseEventLoop.run_in_executor, WorkThread.run

    def connect_metered(*arguments: Any, **options: Any) -> sqlite3.Connection:
        connection: sqlite3.Connection = connect(*arguments, **options)
        connection.set_trace_callback(found.statement)
        return connection

    def in_executor_metered(self: BaseEventLoop, *arguments: Any) -> Any:
        found.note("thread: executor")
        return in_executor(self, *arguments)

    def run_metered(self: WorkThread, work: Callable[[], Any]) -> Any:
        found.note("thread: work")
        return run(self, work)

    def ask_metered(ask: Any) -> Any:
        def metered(self: Any, vector: Any, search_filter: Any, k: int) -> MeteredAsked:
            found.note(f"index: ask for {k}")
            return MeteredAsked(ask(self, vector, search_filter, k), found)

        return metered

    monkeypatch.setattr(sqlite3, "connect", connect_metered)
    monkeypatch.setattr(BaseEventLoop, "run_in_executor", in_executor_metered)
    monkeypatch.setattr(WorkThread, "run", run_metered)
    for index in (ExactIndex, EdgeIndex):
        monkeypatch.setattr(index, "ask", ask_metered(index.ask))
    # A search that gives up on its index does other work than the rest.
    monkeypatch.setattr("choir.memory.indexes.edge.SEARCH_SECONDS", PATIENCE_SECONDS)
    return found


class Scene:
    """A public corpus, and beside it what ann keeps to herself: ``private`` texts at all levels, one erased."""

    def __init__(self, world: World, meter: Meter) -> None:
        self.world, self.meter = world, meter
        self.hashes: list[str] = []

    async def begin(self, private: Sequence[str]) -> None:
        self.ann, self.thread_id, public = await begin(self.world)
        self.sam, self.eve = await self.world.person("sam"), await self.world.person("eve")
        await self.eve.must(SubscribePremium(periods=1))
        self.private_thread = await self.world.new_thread(self.ann, "thread")
        levels: list[Any] = ["thread", "premium", "encrypted", "thread"]
        for number, text in enumerate([*private, *private[:1]]):
            where = self.private_thread if number % 2 else self.thread_id
            text = f"{text} Once more." if number == len(private) else text
            await self.post(text, levels[number], where, public[:1])
        if self.hashes:
            await self.ann.must(Erase(message_hash=self.hashes[-1]))
        await self.world.indexed()
        for asks in (self.ann.asks, self.sam.asks, self.eve.asks, self.world.stranger):
            await asks.get("/search", q="a first question")
        await self.meter.quiet()

    async def post(self, text: str, level: Any, where: str, priors: Sequence[str] = ()) -> None:
        body = self.ann.post(where, text, tuple(priors), privacy=level)
        await self.ann.must(body, text)
        self.hashes.append(body.content_hash)

    async def searches(self, asks: AsgiCaller, questions: Sequence[str]) -> list[Work]:
        """What each search and suggestion makes the node do."""
        found = []
        for query in questions:
            for filters in ({}, {"k": 1}, {"thread_id": self.thread_id}, {"privacy": "thread"}):
                found.append(await self.of(asks, "/search", q=query, **filters))
            draft = {"text": query, "k": 10}
            found.append(await self.meter.of(lambda draft=draft: asks.post("/priors/suggest", draft)))  # type: ignore[misc]
        return found

    async def reads(self, asks: AsgiCaller) -> list[Work]:
        """What each of `paths` makes the node do."""
        return [await self.of(asks, path) for path in self.paths]

    @property
    def paths(self) -> list[str]:
        """Each route to a private message or thread, and each list that they stand in."""
        threads = (self.thread_id, self.private_thread)
        paths = [f"/message/{hashed}{rest}" for hashed in self.hashes for rest in ("", "/proof", "/citations")]
        paths += [f"/thread/{thread}{rest}" for thread in threads for rest in ("", "/audit", "/key")]
        return [*paths, "/threads", "/specs"]

    async def of(self, asks: AsgiCaller, path: str, **query: Any) -> Work:
        return await self.meter.of(lambda: asks.get(path, **query))


def strangers(scene: Scene) -> list[AsgiCaller]:
    """Signed out, and signed in without any right."""
    return [scene.world.stranger, scene.sam.asks]


@pytest.mark.parametrize("vector_index", ["exact", "edge"])
async def test_a_strangers_searches_make_the_same_work(tmp_path: Path, meter: Meter, vector_index: str) -> None:
    """Whether the words they ask for stand in private messages, in none, or there are no private messages; and whether
    somebody who may find them has just looked for them."""
    is_scan = vector_index == "exact"  # a process for each world takes longer to start: fewer there
    told = []
    for number, private in enumerate((SECRET, OTHER, []) if is_scan else (SECRET, [])):
        async with running_world(tmp_path / str(number), vector_index=vector_index) as world:
            scene = Scene(world, meter)
            await scene.begin(private)
            for query in ("zebulonia", SECRET[0]):
                found = (await scene.ann.asks.get("/search", q=query)).raw
                assert ("Zebulonia" in found) == (private is SECRET)
            questions = QUESTIONS if is_scan else QUESTIONS[:2]
            told.append([await scene.searches(asks, questions) for asks in strangers(scene)])
    assert all(_TERM in work for work in told[0][0][:1])  # the meter sees what it is there for
    assert any("index: begin" in work for work in told[0][0])
    assert all(other == told[0] for other in told[1:])


async def test_a_strangers_reads_make_the_same_work(tmp_path: Path, meter: Meter) -> None:
    """Whatever a private or erased message says."""
    told = []
    for number, private in enumerate((SECRET, OTHER)):
        async with running_world(tmp_path / str(number)) as world:
            scene = Scene(world, meter)
            await scene.begin(private)
            told.append([await scene.reads(asks) for asks in strangers(scene)])
    assert sum(told[0][0], Counter()).total() > 100
    for one, other in zip(told[0], told[1], strict=True):
        for path, a, b in zip(scene.paths, one, other, strict=True):
            assert (a - b, b - a) == (Counter(), Counter()), path


async def test_private_and_unknown_threads_make_the_same_work(tmp_path: Path, meter: Meter) -> None:
    """For the routes that answer others than its co-authors as if a thread did not exist."""
    async with running_world(tmp_path / "node") as world:
        scene = Scene(world, meter)
        await scene.begin(SECRET)
        for asks in strangers(scene):
            for rest in ("audit", "key", "audit?limit=5"):
                private = await scene.of(asks, f"/thread/{scene.private_thread}/{rest}")
                assert private == await scene.of(asks, f"/thread/{NOWHERE}/{rest}")
            for query in ("canal", SECRET[0]):
                await scene.of(asks, "/search", q=query)
                private = await scene.of(asks, "/search", q=query, thread_id=scene.private_thread)
                assert private == await scene.of(asks, "/search", q=query, thread_id=NOWHERE)


async def test_who_may_find_something_private_does_one_read_more(tmp_path: Path, meter: Meter) -> None:
    """The known limit: a premium member, or a co-author of any thread, once for each word that only private messages of
    others hold. Neither which messages these are shows in it, nor how many."""
    told = []
    for number, private in enumerate((SECRET, OTHER)):
        async with running_world(tmp_path / str(number)) as world:
            scene = Scene(world, meter)
            await scene.begin(private)
            ben: Person = await world.person("ben")
            await world.new_thread(ben, "thread")
            await meter.quiet()
            asked = [(scene.eve.asks, "noon", 3), (scene.eve.asks, "noon", 4), (ben.asks, "Tuesday", 3)]
            told.append([await scene.of(asks, "/search", q=query, k=k) for asks, query, k in asked])
    differences = [(there - not_there, not_there - there) for there, not_there in zip(*told, strict=True)]
    once_more = (Counter({_POSTINGS: 1}), Counter())
    assert differences == [once_more, (Counter(), Counter()), once_more]


async def test_a_word_that_a_private_message_took_up_is_read_once_more(tmp_path: Path, meter: Meter) -> None:
    """The known limit: what is held of a public word in memory is dropped when any message with it comes."""
    told = []
    for number, text in enumerate(("The pasta is private.", "The noodle is private.")):
        async with running_world(tmp_path / str(number)) as world:
            scene = Scene(world, meter)
            await scene.begin(SECRET)
            await world.stranger.get("/search", q="pasta", k=2)
            await scene.post(text, "thread", scene.thread_id)
            await world.indexed()
            await world.stranger.get("/search", q="a first question")
            await meter.quiet()
            told.append([await scene.of(world.stranger, "/search", q="pasta", k=k) for k in (3, 4)])
    (first, second), (first_without, second_without) = told
    assert first - first_without == Counter({_TERM: 1, _POSTINGS: 1})
    assert not first_without - first
    assert second == second_without
