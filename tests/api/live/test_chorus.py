"""Runs of the chorus over the WebSocket."""

from typing import Any

from choir.api.live.frames import CloseCode
from choir.chorus.steps import Step
from tests.api.live.test_requests import refused
from tests.support.live import Client, LiveWorld
from tests.support.scripted import ScriptedModel

QUESTION = {"prompt": "When is a starter ready?"}


async def run_to_the_end(client: Client, message_id: str) -> list[dict[str, Any]]:
    steps = []
    while not steps or steps[-1]["type"] not in ("run_finished", "run_failed", "run_cancelled"):
        message = await client.expect("chorus_step")
        assert message["id"] == message_id
        steps.append(message["payload"])
    return steps


async def test_a_run_and_watching_it_again(world: LiveWorld) -> None:
    ann = await world.person("ann")
    thread_id = await ann.thread()
    await ann.posts(thread_id, "A starter is ready when it floats in water.")
    await world.node.live.services.memory.indexed()
    async with world.client(ann) as client:
        steps = await run_to_the_end(client, await client.send("chorus", {**QUESTION, "thread_id": thread_id}))
        assert [step["number"] for step in steps] == list(range(1, len(steps) + 1))
        assert "floats in water" in steps[-1]["answer"]
        run_id, middle = steps[0]["run_id"], steps[len(steps) // 2]["number"]
    async with world.client(ann) as client:
        again = await run_to_the_end(client, await client.send("chorus", {"run_id": run_id, "after": middle}))
        # Tokens are not kept.
        assert again == [step for step in steps if step["number"] > middle and step["type"] != "token"]
        await client.nothing_more()


async def test_cancelling(world: LiveWorld) -> None:
    ann, eve = await world.person("ann"), await world.person("eve")
    world.node.live.services.chorus._models = dict.fromkeys(Step, ScriptedModel(hold_at=Step.ACTION))
    async with world.client(ann) as client, world.client(eve) as other:
        message_id = await client.send("chorus", QUESTION)
        run_id = (await client.expect("chorus_step"))["payload"]["run_id"]
        # For others it does not exist.
        assert (await refused(other, "chorus_cancel", {"run_id": run_id}))["name"] == "NotFound"
        assert (await refused(other, "chorus", {"run_id": run_id}))["name"] == "NotFound"
        await client.send("chorus_cancel", {"run_id": run_id})
        steps = await run_to_the_end(client, message_id)
        assert steps[-1]["type"] == "run_cancelled"


async def test_a_watched_run_ends_with_the_session(world: LiveWorld) -> None:
    ann = await world.person("ann")
    world.node.live.services.chorus._models = dict.fromkeys(Step, ScriptedModel(hold_at=Step.ACTION))
    async with world.client(ann) as client:
        await client.send("chorus", QUESTION)
        await client.expect("chorus_step")
        assert await world.as_person(ann).post("/auth/logout") == 200
        assert (await client.closed())[0] == CloseCode.SESSION_ENDED


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({}, "InvalidRequest"),
    ({"prompt": "what", "run_id": "x"}, "InvalidRequest"),
    ({"prompt": ""}, "InvalidField"),
    ({"prompt": "x" * 8193}, "InvalidField"),
    ({"prompt": "  "}, "QueryInvalid"),
    ({"run_id": "unknown"}, "NotFound"),
    ({"prompt": "what", "thread_id": "0" * 32}, "NotFound"),
    ({"prompt": "what", "after": -1}, "NumberOutOfRange"),
]


async def test_what_is_refused(world: LiveWorld) -> None:
    ann = await world.person("ann")
    async with world.client() as stranger, world.client(ann) as client:
        assert (await refused(stranger, "chorus", QUESTION))["name"] == "NotSignedIn"
        for payload, name in REFUSED:
            assert (await refused(client, "chorus", payload))["name"] == name, payload
