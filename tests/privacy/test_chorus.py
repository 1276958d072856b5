"""The chorus as an attacker meets it: others' runs, others' texts, and what stays after a right is gone."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path

import msgspec
import pytest

from choir.chorus.events import AnyRunEvent, PriorsFound, Token
from choir.chorus.steps import Step
from choir.ledger.transactions import Erase, SetPrivacy
from tests.privacy.world import Person, World, running_world
from tests.support.patience import PATIENCE_SECONDS
from tests.support.scripted import ScriptedModel

SECRET = "The kingfisher nests under the third arch of the old bridge."
QUESTION = {"prompt": "Where does the kingfisher nest?"}
AS_DOCUMENT = {"Accept": "application/json"}


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with running_world(tmp_path / "node") as world:
        yield world


@pytest.fixture
async def alice(world: World) -> Person:
    return await world.person("alice")


@pytest.fixture
async def bob(world: World) -> Person:
    return await world.person("bob")


async def write(world: World, person: Person, privacy: str, text: str = SECRET) -> tuple[str, str]:
    """A thread with one message; returns the thread's id and the message's hash."""
    thread_id = await world.new_thread(person, privacy)
    body = person.post(thread_id, text)
    await person.must(body, text)
    await world.indexed()
    return thread_id, body.content_hash


async def ask(person: Person, thread_id: str | None = None) -> str:
    """The id of a finished run."""
    body = QUESTION if thread_id is None else {**QUESTION, "thread_id": thread_id}
    run = (await person.asks.post("/chorus", body, headers=AS_DOCUMENT)).data
    assert run["status"] == "finished", run
    run_id: str = run["run_id"]
    return run_id


async def everything_kept(world: World, run_id: str, owner: str) -> str:
    """All that the file holds of a run, opened."""
    found = await world.services.chorus.require(run_id, owner)
    return msgspec.json.encode(found).decode()


async def settled(world: World) -> None:
    await world.services.follower.caught_up()


async def test_anonymous_askers_are_refused_everywhere(world: World, alice: Person) -> None:
    run_id = await ask(alice)
    stranger = world.stranger
    for answer in (
        await stranger.post("/chorus", QUESTION),
        await stranger.get("/chorus/runs"),
        await stranger.get(f"/chorus/runs/{run_id}"),
        await stranger.get(f"/chorus/runs/{run_id}/events"),
        await stranger.post(f"/chorus/runs/{run_id}/cancel", b""),
        await stranger.delete(f"/chorus/runs/{run_id}"),
    ):
        assert (answer.status, answer.error["name"]) == (401, "NotSignedIn")


async def test_anothers_run_is_no_run(world: World, alice: Person, bob: Person) -> None:
    finished = await ask(alice)
    model = ScriptedModel(hold_at=Step.ACTION)
    world.services.chorus._models = dict.fromkeys(Step, model)
    under_way = await world.services.chorus.start(alice.address, "Where?")
    for run_id in (finished, under_way):
        for path in (f"/chorus/runs/{run_id}", f"/chorus/runs/{run_id}/events"):
            nothing = path.replace(run_id, "00" * 16)
            assert (await bob.asks.get(path)).shape == (await bob.asks.get(nothing)).shape
            assert (await bob.asks.get(path)).error["name"] == "NotFound"
        cancelled = await bob.asks.post(f"/chorus/runs/{run_id}/cancel", b"")
        assert cancelled.shape == (await bob.asks.post(f"/chorus/runs/{'00' * 16}/cancel", b"")).shape
        deleted = await bob.asks.delete(f"/chorus/runs/{run_id}")
        assert deleted.shape == (await bob.asks.delete(f"/chorus/runs/{'00' * 16}")).shape
    assert (await bob.asks.get("/chorus/runs")).data["items"] == []
    statuses = [run["status"] for run in (await alice.asks.get("/chorus/runs")).data["items"]]
    assert statuses == ["running", "finished"], "nothing that bob tried had an effect"
    await world.services.chorus.cancel(under_way, alice.address)


async def test_a_run_finds_only_what_its_asker_may_find(world: World, alice: Person, bob: Person) -> None:
    thread_id, message = await write(world, alice, "thread")
    of_alice = await alice.asks.get(f"/chorus/runs/{await ask(alice)}")
    assert SECRET in of_alice.data["answer"]
    of_bob = await bob.asks.get(f"/chorus/runs/{await ask(bob)}")
    in_the_thread = await bob.asks.get(f"/chorus/runs/{await ask(bob, thread_id)}")
    for answer in (of_bob, in_the_thread):
        assert "arch" not in answer.raw
        assert message not in answer.raw
    audit = (await alice.asks.get(f"/thread/{thread_id}/audit")).data["items"]
    looked = {(entry["viewer"], entry["is_allowed"]) for entry in audit if entry["content_hash"] == message}
    assert (alice.address, True) in looked, "what a run reads is written down like any reading"
    assert (bob.address, False) in looked, "and so is what it was refused"


async def test_a_lost_right_hides_what_was_written_from_the_message(world: World, alice: Person, bob: Person) -> None:
    _, message = await write(world, alice, "public")
    run_id = await ask(bob)
    before = (await bob.asks.get(f"/chorus/runs/{run_id}")).data
    assert SECRET in before["answer"]
    await alice.must(SetPrivacy(message_hash=message, level="thread"))
    await settled(world)
    hidden = await bob.asks.get(f"/chorus/runs/{run_id}")
    streamed = await bob.asks.get(f"/chorus/runs/{run_id}/events")
    for answer in (hidden, streamed):
        assert "kingfisher nests" not in answer.raw
        assert "arch" not in answer.raw
    assert hidden.data["is_withheld"]
    assert hidden.data["citations"] == []
    await alice.must(SetPrivacy(message_hash=message, level="public"))
    await settled(world)
    assert (await bob.asks.get(f"/chorus/runs/{run_id}")).data == before


async def test_an_erased_message_is_gone_from_kept_runs_for_good(world: World, alice: Person, bob: Person) -> None:
    thread_id, message = await write(world, alice, "public")
    runs = [(await ask(bob), bob), (await ask(alice, thread_id), alice)]
    await alice.must(Erase(message_hash=message))
    await settled(world)
    for run_id, person in runs:
        answer = await person.asks.get(f"/chorus/runs/{run_id}")
        assert "arch" not in answer.raw
        assert answer.data["is_withheld"]
        assert "arch" not in await everything_kept(world, run_id, person.address)


async def test_nobody_finds_a_private_text_or_a_question_in_the_files(world: World, alice: Person) -> None:
    await write(world, alice, "thread")
    run_id = await ask(alice)
    assert SECRET in (await alice.asks.get(f"/chorus/runs/{run_id}")).data["answer"]
    raw = await asyncio.to_thread(_all_bytes, world.services.memory._directory)
    for words in (b"third arch", b"Where does the kingfisher"):
        assert words not in raw


async def test_erasing_while_a_run_is_under_way(world: World, alice: Person, bob: Person) -> None:
    _, message = await write(world, alice, "public")
    model = ScriptedModel(hold_at=Step.OBSERVATION)
    world.services.chorus._models = dict.fromkeys(Step, model)
    run_id = await world.services.chorus.start(bob.address, QUESTION["prompt"])
    await asyncio.wait_for(model.is_holding.wait(), PATIENCE_SECONDS)
    await alice.must(Erase(message_hash=message))
    await settled(world)
    watching = asyncio.create_task(_watch(world, run_id, bob))
    model.go_on.set()
    events = await asyncio.wait_for(watching, PATIENCE_SECONDS)
    assert any(isinstance(event, PriorsFound) for event in events)
    assert "arch" not in msgspec.json.encode(events).decode(), "not even a watcher who comes back gets it"
    assert "arch" not in await everything_kept(world, run_id, bob.address)
    answer = await bob.asks.get(f"/chorus/runs/{run_id}")
    assert "arch" not in answer.raw
    assert answer.data["status"] == "finished"


async def test_a_watcher_who_loses_the_right_sees_no_more_of_it(world: World, alice: Person, bob: Person) -> None:
    _, message = await write(world, alice, "public")
    model = ScriptedModel(hold_at=Step.INTENTION)
    world.services.chorus._models = dict.fromkeys(Step, model)
    run_id = await world.services.chorus.start(bob.address, QUESTION["prompt"])
    after_the_loss: list[AnyRunEvent] = []
    async with aclosing(world.services.chorus.watch(run_id, bob.address)) as events:
        async for event in events:
            if isinstance(event, Token) and event.step is Step.INTENTION and not model.go_on.is_set():
                await alice.must(SetPrivacy(message_hash=message, level="thread"))
                await settled(world)
                model.go_on.set()
            elif model.go_on.is_set():
                after_the_loss.append(event)
    assert "arch" not in msgspec.json.encode(after_the_loss).decode()


async def test_an_erasure_that_a_crash_hid_is_made_up_for_at_the_start(tmp_path: Path) -> None:
    async with running_world(tmp_path / "node") as world:
        alice = await world.person("alice")
        _, message = await write(world, alice, "public")
        model = ScriptedModel(hold_at=Step.OBSERVATION)
        world.services.chorus._models = dict.fromkeys(Step, model)
        run_id = await world.services.chorus.start(alice.address, QUESTION["prompt"])
        await asyncio.wait_for(model.is_holding.wait(), PATIENCE_SECONDS)
        assert "arch" in await everything_kept(world, run_id, alice.address)
        # As if the node died here: nobody ends the run, and the store never hears of the erasure.
        world.services.chorus._tasks.clear()
        world.services.follower._erase_elsewhere = None  # type: ignore[attr-defined]
        await alice.must(Erase(message_hash=message))
        await settled(world)
        assert "arch" in await everything_kept(world, run_id, alice.address)
    async with running_world(tmp_path / "node") as world:
        assert "arch" not in await everything_kept(world, run_id, alice.address)
        assert (await world.services.chorus.get(run_id, alice.address)).kept.status == "failed"


async def _watch(world: World, run_id: str, person: Person) -> list[AnyRunEvent]:
    async with aclosing(world.services.chorus.watch(run_id, person.address)) as events:
        return [event async for event in events]


def _all_bytes(directory: Path) -> bytes:
    return b"".join(path.read_bytes() for path in sorted(directory.rglob("*")) if path.is_file())
