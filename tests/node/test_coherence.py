"""Coherence measured on a running node, whose ledger's clock the test sets forward."""

import asyncio
import contextlib
import sqlite3
import sys
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import structlog.testing

from choir.client import Client
from choir.coherence.records import EpochRecord
from choir.engine.protocol import SequencedEvent
from choir.ledger.blocks import header_hash
from choir.ledger.params import EPOCH_MS
from choir.ledger.transactions import Erase, Transfer
from choir.memory.memory import Memory
from choir.node.coherence import find_first_block
from choir.node.coherence_report import make_report, take_sample
from tests.coherence.cases import PARAMS
from tests.support.chain import NODE, digest
from tests.support.live import LivePerson, LiveWorld, live_world
from tests.support.patience import PATIENCE_SECONDS

SEED = bytes(range(32))
END_OF_TIME_MS = 2**50


class Clock:
    """The machine's clock, and what was added to it."""

    def __init__(self) -> None:
        self.added_ms = 0

    def __call__(self) -> int:
        return time.time_ns() // 1_000_000 + self.added_ms

    def pass_epochs(self, count: int = 1) -> None:
        self.added_ms += count * EPOCH_MS


class Epochs:
    """A node with a few messages, and its epochs."""

    def __init__(self, world: LiveWorld, clock: Clock, alice: LivePerson) -> None:
        self.world, self.clock, self.alice = world, clock, alice
        self.engine, self.memory = world.node.engine, world.node.services.memory

    async def move(self) -> None:
        """A block: it closes the epoch before, if that is over."""
        await self.alice.must(Transfer(to=NODE.address, amount="1"))

    async def close(self) -> EpochRecord:
        """End this epoch by a block in the next one; returns what was measured."""
        self.clock.pass_epochs()
        await self.move()
        with self.engine.read() as state:
            height = state.chain.height
        return await self.measured_at(height)

    async def measured_at(self, height: int) -> EpochRecord:
        coherence = self.world.node.services.coherence
        async with asyncio.timeout(PATIENCE_SECONDS):
            while coherence.latest is None or coherence.latest.height != height:  # noqa: ASYNC110  nothing tells when
                await asyncio.sleep(0.01)
        return coherence.latest


@contextlib.asynccontextmanager
async def epochs(data_dir: Path, *texts: str, privacy: Any = "public", **settings: Any) -> AsyncIterator[Epochs]:
    clock = Clock()
    async with live_world(data_dir, clock=clock, log_level="warning", **settings) as world:
        alice = await world.person("alice")
        thread_id = await alice.thread(privacy)
        for text in texts:
            await alice.posts(thread_id, text, privacy=privacy)
        await world.node.services.follower.caught_up()
        await world.node.services.memory.indexed()
        yield Epochs(world, clock, alice)


@contextlib.contextmanager
def damaged(path: Path, statement: str) -> Iterator[None]:
    """Change ``memory.db`` behind the node's back, and put the record that was changed back at the end."""
    database = sqlite3.connect(path, isolation_level=None, timeout=30)
    row = database.execute("SELECT * FROM record ORDER BY id LIMIT 1").fetchone()
    database.execute(statement)
    yield
    database.execute("DELETE FROM record WHERE id = ?", row[:1])
    database.execute(f"INSERT INTO record VALUES ({','.join('?' * len(row))})", row)
    database.close()


async def test_a_sound_memory_is_coherent_and_a_damaged_one_is_not(tmp_path: Path) -> None:
    texts = [f"The tide of day {day} came at {day} o'clock." for day in range(6)]
    async with epochs(tmp_path / "node", *texts) as node:
        first = await node.close()
        assert (first.coherence_millionths, first.attunement_millionths) == (1_000_000, 750_000)
        assert (first.checked.records, first.checked.records_held) == (6, 6)
        assert (first.checked.challenges, first.checked.challenges_met) == (6, 6)
        assert (first.checked.answers, first.checked.answers_given) == (8 * 6, 8 * 6)
        assert first.validators[0].psi_millionths == 850_000
        with damaged(tmp_path / "node" / "memory.db", "UPDATE record SET text = 'no tide' WHERE id = 1"):
            second = await node.close()
        assert second.coherence_millionths == (1_000_000 * 5 // 6 + 1_000_000) // 2
        assert second.checked.problems == {"hash_differs": 1}
        assert second.validators[0].psi_millionths < first.validators[0].psi_millionths
        third = await node.close()
        assert third.coherence_millionths == 1_000_000
        assert third.number == second.number + 1

        listed = (await node.world.caller.get("/epochs", limit=2)).data
        assert [epoch["number"] for epoch in listed["items"]] == [third.number, second.number]
        rest = (await node.world.caller.get("/epochs", limit=2, cursor=listed["next_cursor"])).data
        assert [epoch["number"] for epoch in rest["items"]] == [first.number]
        assert rest["items"][0]["checked"]["records"] == 6
        assert rest["next_cursor"] is None
        for query in ({"cursor": "-1"}, {"cursor": "tide"}, {"limit": 0}, {"limit": 201}):
            assert (await node.world.caller.get("/epochs", **query)).status == 400, query


async def test_the_client_and_the_command_show_what_was_measured(tmp_path: Path) -> None:
    async with epochs(tmp_path / "node", "one", "two") as node:
        with damaged(tmp_path / "node" / "memory.db", "DELETE FROM record WHERE id = 1"):
            record = await node.close()
        async with Client(node.world.url) as client:
            assert (await client.epochs()).items == (record,)
            assert (await client.network()).coherence_millionths == record.coherence_millionths
            (validator,) = await client.validators()
            assert validator.psi_millionths == record.validators[0].psi_millionths
        command = [sys.executable, "-m", "choir.cli.main", "--node", node.world.url, "network"]
        shown = {}
        for name in ("status", "epochs", "validators"):
            ran = await asyncio.create_subprocess_exec(*command, name, stdout=asyncio.subprocess.PIPE)
            shown[name] = (await ran.communicate())[0].decode()
            assert ran.returncode == 0
        coherence = f"0.{record.coherence_millionths // 1000}"
        assert f"{coherence}, measured in epoch {record.number}" in shown["status"]
        assert coherence in shown["epochs"]
        assert "1 of 2" in shown["epochs"]
        assert "1 × record_missing" in shown["epochs"]
        assert NODE.address in shown["validators"]


DAMAGES = [
    # (what was done to the first of six records; how many are held, challenges met, answers given of 8 · 5 or 8 · 6)
    ("UPDATE record SET salt = 'no salt' WHERE id = 1", {"hash_differs": 1}, 6, 5),
    ("UPDATE record SET text = NULL, salt = NULL WHERE id = 1", {"text_missing": 1}, 5, 5),
    ("DELETE FROM record WHERE id = 1", {"record_missing": 1}, 5, 5),
    ("UPDATE record SET text = CAST(x'ff' AS TEXT) WHERE id = 1", {"unreadable": 1}, 6, 5),
    (
        "UPDATE record SET content_hash = hex(zeroblob(32)) WHERE id = 1",
        {"not_on_ledger": 1, "record_missing": 1},
        5,
        5,
    ),
    ("UPDATE record SET embedding = zeroblob(length(embedding)) WHERE id = 1", {"embedding_damaged": 1}, 5, 6),
    ("UPDATE record SET embedding = x'00' WHERE id = 1", {"embedding_damaged": 1}, 5, 6),
]


async def test_every_damage_is_seen(tmp_path: Path) -> None:
    async with epochs(tmp_path / "node", *(f"message {number}" for number in range(6)), privacy="premium") as node:
        for statement, problems, held, met in DAMAGES:
            with damaged(tmp_path / "node" / "memory.db", statement):
                report, checked = await make_report(node.engine, node.memory, SEED, END_OF_TIME_MS, PARAMS)
            assert checked.problems == problems, statement
            assert (checked.records, checked.records_held, checked.challenges_met) == (6, held, met), statement
            assert report.missed == 6 - met, statement
            assert report.shards[0].held < 1_000_000, statement
            assert report.shards[0].found == 1_000_000, statement
        report, checked = await make_report(node.engine, node.memory, SEED, END_OF_TIME_MS, PARAMS)
        assert (report.shards[0], checked.problems) == ((1_000_000, 1_000_000), {})


async def test_what_the_index_lacks_is_seen(tmp_path: Path) -> None:
    async with epochs(tmp_path / "node", *(f"message {number}" for number in range(6))) as node:
        assert node.memory._indexer is not None
        assert node.memory._indexer._vectors is not None
        await node.memory._indexer._vectors.delete([1, 2])
        report, checked = await make_report(node.engine, node.memory, SEED, END_OF_TIME_MS, PARAMS)
        assert report.shards[0] == (1_000_000, 666_666)
        assert (checked.answers, checked.answers_given) == (48, 32)


async def test_sealed_texts_are_opened_and_erased_ones_are_not_wanted(tmp_path: Path) -> None:
    async with epochs(tmp_path / "node", "one", "two", "three", privacy="thread") as node:
        report, checked = await make_report(node.engine, node.memory, SEED, END_OF_TIME_MS, PARAMS)
        assert (checked.records, checked.challenges_met, checked.answers_given) == (3, 3, 24)
        with damaged(tmp_path / "node" / "memory.db", "UPDATE record SET sealed = zeroblob(80) WHERE id = 1"):
            _, checked = await make_report(node.engine, node.memory, SEED, END_OF_TIME_MS, PARAMS)
        assert checked.problems == {"unreadable": 1}
        (content_hash, *_) = node.memory.holdings.between("0", "f" * 64, before_ms=END_OF_TIME_MS, limit=1)
        await node.alice.must(Erase(message_hash=content_hash))
        await node.world.node.services.follower.caught_up()
        report, checked = await make_report(node.engine, node.memory, SEED, END_OF_TIME_MS, PARAMS)
        assert (checked.records, checked.records_held, checked.problems) == (2, 2, {})
        assert report.shards[0].held == 1_000_000


async def test_a_node_without_search_finds_nothing(tmp_path: Path) -> None:
    async with epochs(tmp_path / "node", "one") as node:
        memory = Memory(tmp_path / "node", NODE)  # whose search was never opened
        report, checked = await make_report(node.engine, memory, SEED, END_OF_TIME_MS, PARAMS)
        await memory.close()
        assert report.shards[0] == (1_000_000, 0)
        assert checked.problems == {"search_unavailable": 1}


async def test_a_memory_that_cannot_be_read_holds_and_finds_nothing(tmp_path: Path) -> None:
    async with epochs(tmp_path / "node", "one", "two") as node:
        database = sqlite3.connect(tmp_path / "node" / "memory.db", isolation_level=None, timeout=30)
        database.execute("ALTER TABLE record RENAME TO elsewhere")
        report, checked = await make_report(node.engine, node.memory, SEED, END_OF_TIME_MS, PARAMS)
        database.execute("ALTER TABLE elsewhere RENAME TO record")
        database.close()
        assert report.shards[0] == (0, 0)
        assert checked.problems == {"search_unavailable": 1, "unreadable": 2}


async def test_a_sample_is_as_large_as_it_may_be_and_ends_where_its_last_message_is(tmp_path: Path) -> None:
    async with epochs(tmp_path / "node", *(f"message {number}" for number in range(12))) as node:
        everything = node.memory.holdings.between("0", "f" * 64, before_ms=END_OF_TIME_MS, limit=100)
        assert len(everything) == 12
        for name in range(30):
            sample = await take_sample(node.engine, bytes.fromhex(digest(f"seed {name}")), END_OF_TIME_MS, 5)
            assert len(sample.messages) == 5
            between = [
                content_hash
                for first, last in sample.stretches
                for content_hash in node.memory.holdings.between(first, last, before_ms=END_OF_TIME_MS, limit=100)
            ]
            assert sorted(between) == sorted(sample.messages), f"seed {name}"
        whole = await take_sample(node.engine, SEED, END_OF_TIME_MS, 13)
        assert sorted(whole.messages) == everything


async def test_the_newest_messages_are_left_to_their_own_epoch(tmp_path: Path) -> None:
    async with epochs(tmp_path / "node", "one", "two") as node:
        with node.engine.read() as state:
            started_at_ms = state.epoch.started_at_ms
        sample = await take_sample(node.engine, SEED, started_at_ms, 100)
        assert sample.messages == {}
        report, checked = await make_report(node.engine, node.memory, SEED, started_at_ms, PARAMS)
        assert (checked.records, report.shards[0]) == (0, (1_000_000, 1_000_000))


async def test_the_seed_is_the_first_block_of_the_epoch_and_an_epoch_without_block_is_not_measured(
    tmp_path: Path,
) -> None:
    async with epochs(tmp_path / "node", "one") as node:
        first = await node.close()
        await node.move()
        node.clock.pass_epochs(5)
        await node.move()
        with node.engine.read() as state:
            height, epoch = state.chain.height, state.epoch
        second = await node.measured_at(height)
        assert (second.number, epoch.number) == (first.number + 1, second.number + 5)
        block = await node.engine.block(first.height)
        assert block is not None
        assert second.seed == header_hash(block.signed_header.header)
        genesis_ms = node.engine.genesis.time_ms
        assert second.started_at_ms == genesis_ms + second.number * EPOCH_MS
        assert await find_first_block(node.engine, second.ended_at_ms, height) is None


class _Events:
    """An engine whose newest events came while this node was away."""

    def __init__(self, engine: Any, closings: Sequence[SequencedEvent]) -> None:
        self._engine, self._closings = engine, closings

    def __getattr__(self, name: str) -> Any:
        return getattr(self._engine, name)

    async def events(self, after_seq: int) -> AsyncIterator[Sequence[SequencedEvent]]:
        yield [closing for closing in self._closings if closing.seq > after_seq]
        await asyncio.Event().wait()


async def test_after_a_crash_only_the_last_epoch_is_measured_again(tmp_path: Path) -> None:
    from choir.node.coherence import CoherenceKeeper
    from choir.node.coherence_store import CoherenceStore

    async with epochs(tmp_path / "node", "one") as node:
        measured = [await node.close() for _ in range(3)]
        stream = node.engine.events(0)
        closings = [event for event in await anext(stream) if event.fields["type"] == "epoch_closed"]
        await stream.aclose()
        assert len(closings) == 3
        store = CoherenceStore(tmp_path / "other.db")
        await store.begin(0)
        services = node.world.node.services
        keeper = CoherenceKeeper(
            _Events(node.engine, closings),
            node.memory,
            services.follower,
            store,
            NODE.address,  # type: ignore[arg-type]
        )
        await keeper.start()
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not (kept := await store.page(2**62, 10)):  # noqa: ASYNC110  nothing tells when
                await asyncio.sleep(0.01)
        assert [record.number for record in kept] == [measured[-1].number]
        assert kept[0].checked == measured[-1].checked
        assert await store.last_seq() == closings[-1].seq
        await keeper.close()
        store.close()


async def test_a_failure_is_told_and_the_next_epoch_is_measured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from choir.node import coherence as coherence_module

    async with epochs(tmp_path / "node", "one") as node:
        failed = asyncio.Event()

        async def fail(*_: Any) -> None:
            failed.set()
            raise ValueError("a defect")

        with structlog.testing.capture_logs() as told, monkeypatch.context() as patch:
            patch.setattr(coherence_module, "make_report", fail)
            node.clock.pass_epochs()
            await node.move()
            async with asyncio.timeout(PATIENCE_SECONDS):
                await failed.wait()
        record = await node.close()
        assert record.number > 0
        assert "the epoch was not measured" in {entry["event"] for entry in told}


async def test_a_node_goes_on_from_what_it_measured(tmp_path: Path) -> None:
    async with epochs(tmp_path / "node", "one") as node:
        before = await node.close()
        services = node.world.node.services
        assert (await node.world.caller.get("/network")).data["coherence_millionths"] == 1_000_000
    clock = node.clock
    async with live_world(tmp_path / "node", clock=clock, log_level="warning") as world:
        services = world.node.services
        assert services.coherence.latest == before
        alice = LivePerson(world.caller, "alice")
        alice.nonce = node.alice.nonce
        after = await Epochs(world, clock, alice).close()
        assert after.validators[0].psi_millionths == 925_000
        async with world.session.get("/metrics") as response:
            text = await response.text()
        assert "choir_coherence 1.0" in text
        assert "choir_attunement 0.8" in text
        assert f'choir_psi{{validator="{NODE.address}"}} 0.925' in text


async def test_before_the_first_epoch_nothing_is_claimed(tmp_path: Path) -> None:
    async with epochs(tmp_path / "node") as node:
        network = (await node.world.caller.get("/network")).data
        assert (network["measured_epoch"], network["coherence_millionths"]) == (None, None)
        assert (await node.world.caller.get("/epochs")).data == {"items": [], "next_cursor": None}
        (validator,) = (await node.world.caller.get("/validators")).data
        assert (validator["address"], validator["is_this_node"]) == (NODE.address, True)
        assert (validator["psi_millionths"], validator["measured_epoch"]) == (None, None)
        async with node.world.session.get("/metrics") as response:
            assert "choir_coherence NaN" in await response.text()
