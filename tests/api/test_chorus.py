"""Asking the chorus over REST: streams, documents, keeping, cancelling, limits, and what is refused."""

import asyncio
import json
import sqlite3
from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path
from typing import Any

import pytest

from choir.api.chorus import live
from choir.api.chorus.sse import encode_events
from choir.chorus.events import AnyRunEvent, RunCancelled, RunFailed, StepFinished, Token
from choir.chorus.steps import Step
from tests.privacy.world import Person, World, running_world
from tests.support.patience import PATIENCE_SECONDS
from tests.support.scripted import ScriptedModel

TEXT = "# Bread\n\nA starter is ready when it floats in water."
QUESTION = {"prompt": "When is a starter ready?"}
AS_DOCUMENT = {"Accept": "application/json"}


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with running_world(tmp_path / "node") as world:
        yield world


@pytest.fixture
async def alice(world: World) -> Person:
    """Somebody with a thread that has one message."""
    alice = await world.person("alice")
    await alice.must(alice.post(await world.new_thread(alice), TEXT), TEXT)
    await world.indexed()
    return alice


def use(world: World, model: ScriptedModel) -> ScriptedModel:
    """Have every step written by a scripted model."""
    world.services.chorus._models = dict.fromkeys(Step, model)
    return model


def messages_of(stream: str) -> list[tuple[str, int, Any]]:
    """(event, id, data) of a stream of Server-Sent Events."""
    found = []
    for block in stream.split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.splitlines() if not line.startswith(":"))
        if fields:
            found.append((fields["event"], int(fields["id"]), json.loads(fields["data"])))
    return found


async def ended(world: World, alice: Person, run_id: str) -> list[AnyRunEvent]:
    async with aclosing(world.services.chorus.watch(run_id, alice.address)) as events:
        return [event async for event in events]


async def test_a_stream_has_every_event_in_order(world: World, alice: Person) -> None:
    answer = await alice.asks.post("/chorus", QUESTION)
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert answer.headers["cache-control"] == "no-store"
    messages = messages_of(answer.raw)
    assert [number for _, number, _ in messages] == list(range(1, len(messages) + 1))
    assert all(event == data["type"] and number == data["number"] for event, number, data in messages)
    kinds = [event for event, _, _ in messages]
    assert (kinds[0], kinds[-1]) == ("run_started", "run_finished")
    assert kinds.count("step_finished") >= 6
    assert "token" in kinds
    assert answer.headers["run-id"] == messages[0][2]["run_id"]
    (citation,) = messages[-1][2]["citations"]
    assert (await alice.asks.get(citation["proof"].removeprefix("/v1"))).status == 200
    assert "floats in water" in messages[-1][2]["answer"]


async def test_whoever_wants_a_document_gets_the_finished_run(world: World, alice: Person) -> None:
    run = (await alice.asks.post("/chorus", QUESTION, headers=AS_DOCUMENT)).data
    assert (run["status"], run["prompt"], run["thread_id"]) == ("finished", QUESTION["prompt"], None)
    assert "floats in water" in run["answer"]
    assert not run["is_withheld"]
    assert "token" not in [event["type"] for event in run["events"]]
    assert (await alice.asks.get(f"/chorus/runs/{run['run_id']}")).data == run
    (listed,) = (await alice.asks.get("/chorus/runs")).data["items"]
    assert listed == {name: run[name] for name in listed}


async def test_priors_have_the_quantities_that_can_be_said(world: World, alice: Person) -> None:
    thread_id = await world.new_thread(alice)
    (cited,) = (await alice.asks.get("/search", q="starter")).data["hits"]
    body = alice.post(thread_id, "About starters.", (cited["message"]["content_hash"],))
    await alice.must(body, "About starters.")
    await world.indexed()
    run = (await alice.asks.post("/chorus", {**QUESTION, "thread_id": thread_id}, headers=AS_DOCUMENT)).data
    priors = [prior for event in run["events"] if event["type"] == "priors_found" for prior in event["priors"]]
    by_hash = {prior["content_hash"]: prior for prior in priors}
    own, found = by_hash[body.content_hash], by_hash[cited["message"]["content_hash"]]
    assert found["resonance"] == found["similarity"] > 0
    assert 0 <= found["phase"] <= 3.15
    assert (own["entanglement"], found["entanglement"]) == (1.0, 0.0)
    outside = (await alice.asks.post("/chorus", QUESTION, headers=AS_DOCUMENT)).data
    (event,) = [event for event in outside["events"] if event["type"] == "priors_found"][:1]
    assert event["priors"][0]["phase"] is None
    assert event["priors"][0]["entanglement"] is None


async def test_a_thread_that_the_question_names_is_searched_on_its_own(world: World, alice: Person) -> None:
    named = await world.new_thread(alice)
    for text in ("# Rule-4844: Rising", "## Rationale\n\nA dough is left to rise, because it needs gas."):
        await alice.must(alice.post(named, text), text)
    for number in range(60):
        thread_id = await world.new_thread(alice)
        text = f"Rule-4844 is why the dough of day {number} rises: it is due to Rule-4844."
        await alice.must(alice.post(thread_id, text), text)
    await world.indexed()
    question = {"prompt": "Why does Rule-4844 want the dough to rise?"}
    run = (await alice.asks.post("/chorus", question, headers=AS_DOCUMENT)).data
    (found, *_) = [event for event in run["events"] if event["type"] == "priors_found"]
    titles = [prior["title"] for prior in found["priors"]]
    assert titles[:2] == ["Rule-4844: Rising"] * 2
    assert len(titles) > 2
    assert "because it needs gas" in run["answer"]


async def test_a_run_goes_on_when_its_watcher_leaves_and_can_be_taken_up_again(world: World, alice: Person) -> None:
    model = use(world, ScriptedModel(hold_at=Step.INTENTION))
    runs = world.services.chorus
    run_id = await runs.start(alice.address, "When is a starter ready?")
    seen: list[AnyRunEvent] = []
    async with aclosing(runs.watch(run_id, alice.address)) as events:
        async for event in events:
            seen.append(event)
            if isinstance(event, Token) and event.step is Step.INTENTION:
                break
    assert (await alice.asks.get(f"/chorus/runs/{run_id}")).data["status"] == "running"
    resumed = asyncio.create_task(alice.asks.get(f"/chorus/runs/{run_id}/events", after=seen[-1].number))
    model.go_on.set()
    messages = messages_of((await asyncio.wait_for(resumed, PATIENCE_SECONDS)).raw)
    numbers = [event.number for event in seen] + [number for _, number, _ in messages]
    assert numbers == sorted(set(numbers))
    assert messages[-1][0] == "run_finished"
    header = {"Last-Event-ID": str(messages[-2][1])}
    (last,) = messages_of((await alice.asks.get(f"/chorus/runs/{run_id}/events", headers=header, after=0)).raw)
    assert last == messages[-1]


async def test_a_watcher_in_the_middle_gets_all_that_was_before(world: World, alice: Person) -> None:
    model = use(world, ScriptedModel(hold_at=Step.OBSERVATION))
    runs = world.services.chorus
    run_id = await runs.start(alice.address, "When is a starter ready?")
    await asyncio.wait_for(model.is_holding.wait(), PATIENCE_SECONDS)
    seen: list[AnyRunEvent] = []
    async with aclosing(runs.watch(run_id, alice.address)) as events:
        async for event in events:
            seen.append(event)
            if isinstance(event, Token) and event.step is Step.OBSERVATION:
                break
    assert [event.number for event in seen] == list(range(1, len(seen) + 1))
    assert [event.step for event in seen if isinstance(event, StepFinished)] == list(Step)[:3]
    await runs.cancel(run_id, alice.address)


async def test_of_too_many_tokens_the_older_ones_go(
    world: World, alice: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "MAX_TOKENS", 4)
    model = use(world, ScriptedModel(hold_at=Step.YIELD))
    run_id = await world.services.chorus.start(alice.address, "When is a starter ready?")
    await asyncio.wait_for(model.is_holding.wait(), PATIENCE_SECONDS)
    watching = asyncio.create_task(ended(world, alice, run_id))
    model.go_on.set()
    events = await asyncio.wait_for(watching, PATIENCE_SECONDS)
    assert 1 <= sum(isinstance(event, Token) for event in events) < 12
    assert [event.step for event in events if isinstance(event, StepFinished)] == list(Step)


async def test_cancelling_ends_a_run_and_is_kept(world: World, alice: Person) -> None:
    model = use(world, ScriptedModel(hold_at=Step.ACTION))
    run_id = await world.services.chorus.start(alice.address, "When?")
    await asyncio.wait_for(model.is_holding.wait(), PATIENCE_SECONDS)
    cancelled = (await alice.asks.post(f"/chorus/runs/{run_id}/cancel", b"")).data
    assert (cancelled["status"], cancelled["answer"]) == ("cancelled", None)
    assert cancelled["events"][-1]["type"] == "run_cancelled"
    again = (await alice.asks.post(f"/chorus/runs/{run_id}/cancel", b"")).data
    assert again == cancelled


async def test_deleting_ends_a_run_and_removes_it(world: World, alice: Person) -> None:
    model = use(world, ScriptedModel(hold_at=Step.ACTION))
    runs = world.services.chorus
    run_id = await runs.start(alice.address, "When?")
    await asyncio.wait_for(model.is_holding.wait(), PATIENCE_SECONDS)
    watching = asyncio.create_task(ended(world, alice, run_id))
    await asyncio.sleep(0)
    deleted = await alice.asks.delete(f"/chorus/runs/{run_id}")
    assert deleted.data == {"run_id": run_id}
    assert isinstance((await asyncio.wait_for(watching, PATIENCE_SECONDS))[-1], RunCancelled)
    for path in (f"/chorus/runs/{run_id}", f"/chorus/runs/{run_id}/events"):
        assert (await alice.asks.get(path)).error["name"] == "NotFound"
    assert (await alice.asks.delete(f"/chorus/runs/{run_id}")).error["name"] == "NotFound"
    assert (await alice.asks.get("/chorus/runs")).data["items"] == []


async def test_a_failed_run_says_why(world: World, alice: Person) -> None:
    use(world, ScriptedModel(fails_at=Step.INTENTION))
    run = (await alice.asks.post("/chorus", QUESTION, headers=AS_DOCUMENT)).data
    assert (run["status"], run["answer"]) == ("failed", None)
    ending = run["events"][-1]
    assert (ending["type"], ending["error"], ending["step"]) == ("run_failed", "ModelFailed", "intention")


async def test_a_fault_of_ours_ends_the_run_and_frees_its_place(world: World, alice: Person) -> None:
    model = use(world, ScriptedModel())
    model.given = None  # type: ignore[assignment]  # whatever it tries, it breaks
    for _ in range(3):
        run = (await alice.asks.post("/chorus", QUESTION, headers=AS_DOCUMENT)).data
        assert (run["status"], run["events"][-1]["error"]) == ("failed", "InternalError")


async def test_a_file_that_takes_no_more_ends_the_run_and_keeps_nobody_waiting(
    world: World, alice: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = use(world, ScriptedModel(hold_at=Step.INTENTION))
    runs = world.services.chorus
    run_id = await runs.start(alice.address, "When is a starter ready?")
    watching = asyncio.create_task(ended(world, alice, run_id))
    await asyncio.wait_for(model.is_holding.wait(), PATIENCE_SECONDS)

    def refuse(*_: object) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr(runs._store, "_append", refuse)
    model.go_on.set()
    events = await asyncio.wait_for(watching, PATIENCE_SECONDS)
    assert isinstance(events[-1], RunFailed)
    assert events[-1].error == "InternalError"
    monkeypatch.undo()
    assert (await alice.asks.post("/chorus", QUESTION, headers=AS_DOCUMENT)).data["status"] == "finished"


async def test_few_runs_at_once_for_one_account(world: World, alice: Person) -> None:
    use(world, ScriptedModel(hold_at=Step.ACTION))
    runs = world.services.chorus
    under_way = [await runs.start(alice.address, "When?") for _ in range(2)]
    refused = await alice.asks.post("/chorus", QUESTION)
    assert (refused.status, refused.error["name"]) == (429, "TooManyRequests")
    assert int(refused.headers["retry-after"]) >= 1
    for run_id in under_way:
        await runs.cancel(run_id, alice.address)
    run_id = await runs.start(alice.address, "When?")
    await runs.cancel(run_id, alice.address)


async def test_the_node_has_a_bound_too(tmp_path: Path) -> None:
    async with running_world(tmp_path / "node", chorus_at_once=1) as world:
        use(world, ScriptedModel(hold_at=Step.ACTION))
        alice, bob = await world.person("alice"), await world.person("bob")
        run_id = await world.services.chorus.start(alice.address, "When?")
        refused = await bob.asks.post("/chorus", QUESTION)
        assert (refused.status, refused.error["name"]) == (503, "NotReady")
        await world.services.chorus.cancel(run_id, alice.address)


async def test_the_hourly_limit_counts_for_each_account(tmp_path: Path) -> None:
    async with running_world(tmp_path / "node", chorus_per_hour=2) as world:
        alice, bob = await world.person("alice"), await world.person("bob")
        for _ in range(2):
            assert (await alice.asks.post("/chorus", QUESTION)).status == 200
        refused = await alice.asks.post("/chorus", QUESTION)
        assert (refused.status, refused.error["name"]) == (429, "TooManyRequests")
        assert "2 an hour" in refused.error["message"]
        assert (await bob.asks.post("/chorus", QUESTION)).status == 200


@pytest.mark.parametrize(
    ("body", "name", "field"),
    [
        (b"", "MalformedJson", None),
        (b"[]", "InvalidField", None),
        (b'{"prompt": 1}', "InvalidField", "prompt"),
        (b"{}", "InvalidField", None),
        (b'{"prompt": ""}', "InvalidField", "prompt"),
        (b'{"prompt": "x", "prompt": "y"}', None, None),
        (b'{"prompt": "x", "model": "other"}', "UnknownField", None),
        (b'{"prompt": "x", "thread_id": "zz"}', "InvalidRequest", "thread_id"),
        (b'{"prompt": " \\n "}', "QueryInvalid", None),
        (b'{"prompt": "%s"}' % (b"x" * 8193), "InvalidField", "prompt"),
        (b'{"prompt": "x", "thread_id": "%s"}' % (b"ab" * 16), "NotFound", None),
        (b'{"prompt": "\xff"}', None, None),
    ],
    ids=lambda value: str(value)[:40] if isinstance(value, bytes) else None,
)
async def test_malformed_questions_are_refused(
    world: World, alice: Person, body: bytes, name: str | None, field: str | None
) -> None:
    refused = await alice.asks.post("/chorus", body)
    assert 400 <= refused.status < 500, refused
    if name is not None:
        assert refused.error["name"] == name, refused.error
    if field is not None:
        assert field in refused.error.get("field", ""), refused.error
    assert (await alice.asks.get("/chorus/runs")).data["items"] == []


@pytest.mark.parametrize("given", ["x", "-1", "1e3", "9" * 40, ""])
async def test_a_last_event_id_is_a_number(world: World, alice: Person, given: str) -> None:
    run_id = (await alice.asks.post("/chorus", QUESTION, headers=AS_DOCUMENT)).data["run_id"]
    refused = await alice.asks.get(f"/chorus/runs/{run_id}/events", headers={"Last-Event-ID": given})
    assert refused.error["name"] == "InvalidRequest"


async def test_a_stopped_node_says_so_in_the_run(tmp_path: Path) -> None:
    async with running_world(tmp_path / "node") as world:
        alice = await world.person("alice")
        model = use(world, ScriptedModel(hold_at=Step.INTENTION))
        run_id = await world.services.chorus.start(alice.address, "When?")
        await asyncio.wait_for(model.is_holding.wait(), PATIENCE_SECONDS)
    async with running_world(tmp_path / "node") as world:
        found = await world.services.chorus.get(run_id, alice.address)
        assert found.kept.status == "failed"
        assert isinstance(found.events[-1], RunFailed)
        assert found.events[-1].error == "NodeStopped"
        assert "Ask again" in found.events[-1].message


async def test_a_heartbeat_comes_while_nothing_happens(world: World, alice: Person) -> None:
    model = use(world, ScriptedModel(hold_at=Step.ACTION))
    run_id = await world.services.chorus.start(alice.address, "When?")
    stream = encode_events(world.services.chorus.watch(run_id, alice.address), heartbeat_seconds=0.01)
    chunks: list[bytes] = []
    async with aclosing(stream):
        async for chunk in stream:
            chunks.append(chunk)
            if chunk.startswith(b":"):
                model.go_on.set()
    assert chunks[-1].startswith(b"event: run_finished\n")
    assert any(chunk.startswith(b":") for chunk in chunks)
    numbers = [number for _, number, _ in messages_of(b"".join(chunks).decode())]
    assert numbers == list(range(1, numbers[-1] + 1)), "a heartbeat loses nothing"


async def test_the_document_describes_both_answers(world: World) -> None:
    document = json.loads((await world.root.get("/openapi.json")).raw)
    operation = document["paths"]["/v1/chorus"]["post"]
    assert set(operation["responses"]["200"]["content"]) == {"application/json", "text/event-stream"}
    body = operation["requestBody"]["content"]["application/json"]["schema"]
    assert set(body["properties"]) == {"prompt", "thread_id"}
