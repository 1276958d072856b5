"""Nobody is told more than `GET` shows them at that moment, whatever happens while they follow."""

import asyncio
import json
import random
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from choir.api.live import hub as hub_module
from choir.api.live.frames import CloseCode
from choir.api.sessions import SESSIONS_PER_ADDRESS
from choir.ledger.transactions import Erase, ProcessApproval, SetPrivacy, SubscribePremium
from tests.privacy.world import MovingClock
from tests.support.live import Client, LivePerson, LiveWorld, live_world, sign_in

LEVELS = ("public", "premium", "thread", "encrypted")
# They are computed a moment after the event, which is no event of its own.
UNSETTLED = {"resonance": None, "coherence": None, "summary": None}
PERIOD_MS = 2_592_000_000


async def joined(ann: LivePerson, ben: LivePerson, thread_id: str) -> None:
    """Make ben a co-author of ann's thread."""
    spec = ben.spec(thread_id, f"{ben.address} asks to join")
    await ben.must(spec, f"{ben.address} asks to join")
    await ann.must(ProcessApproval(spec_id=spec.content_hash, approve=True))


@pytest.mark.parametrize("seed", range(2))
async def test_what_is_told_is_what_reading_shows(world: LiveWorld, seed: int) -> None:
    """Random posts, levels and erasures, followed by everybody; each update is held against their own `GET`."""
    chance = random.Random(seed)
    ann, ben, eve, sam = [await world.person(name) for name in ("ann", "ben", "eve", "sam")]
    thread_id = await ann.thread(chance.choice(LEVELS[:3]))
    await joined(ann, ben, thread_id)
    await sam.must(SubscribePremium(periods=1))
    posted: list[tuple[LivePerson, str]] = []
    async with (
        world.client(ann) as a,
        world.client(ben) as b,
        world.client(eve) as e,
        world.client(sam) as s,
        world.client() as nobody,
    ):
        clients: list[tuple[Client, LivePerson | None]] = [(a, ann), (b, ben), (e, eve), (s, sam), (nobody, None)]
        for client, _ in clients:
            await client.follow(thread_id)
        for step in range(20):
            await act(chance, step, thread_id, [ann, ben], eve, posted)
            for client, person in clients:
                (update,) = await client.updates(1)
                shown = update["payload"].get("message") or update["payload"]["spec"]
                if "message" in update["payload"]:
                    expected = await world.as_person(person).get(f"/message/{shown['content_hash']}")
                else:
                    expected = next(
                        spec
                        for spec in (await world.as_person(person).get("/specs", thread_id=thread_id))["items"]
                        if spec["spec_id"] == shown["spec_id"]
                    )
                assert shown | UNSETTLED == expected | UNSETTLED, (step, person and person.address)


async def act(
    chance: random.Random,
    step: int,
    thread_id: str,
    co_authors: list[LivePerson],
    outsider: LivePerson,
    posted: list[tuple[LivePerson, str]],
) -> None:
    """One random event in a thread."""
    kind = chance.choice(("post", "post", "spec", "level", "erase")) if posted else "post"
    text = f"secret {step} of the thread, told in some words"
    if kind == "post":
        person = chance.choice(co_authors)
        posted.append((person, await person.posts(thread_id, text, privacy=chance.choice(LEVELS))))
    elif kind == "spec":
        await outsider.must(outsider.spec(thread_id, text, privacy=chance.choice(LEVELS)), text)
    elif kind == "level":
        person, content_hash = chance.choice(posted)
        await person.must(SetPrivacy(message_hash=content_hash, level=chance.choice(LEVELS)))
    else:
        person, content_hash = posted.pop(chance.randrange(len(posted)))
        await person.must(Erase(message_hash=content_hash))


async def test_who_resumes_gets_the_past_as_it_is_shown_now(world: LiveWorld) -> None:
    ann = await world.person("ann")
    thread_id = await ann.thread()
    async with world.client() as client:
        (sync,) = await client.follow(thread_id)
    hidden = await ann.posts(thread_id, "Zebulonia will be hidden")
    erased = await ann.posts(thread_id, "Zebulonia will be erased")
    await ann.must(SetPrivacy(message_hash=hidden, level="thread"))
    await ann.must(Erase(message_hash=erased))
    async with world.client() as stranger, world.client(ann) as author:
        for client in (stranger, author):
            (batch,) = await client.follow(thread_id, from_seq=sync["seq"])
            updates = batch["payload"]["updates"]
            assert [u["type"] for u in updates] == ["new_message"] * 2 + ["thread_update"] * 2
            told = json.dumps(batch)
            assert ("Zebulonia will be hidden" in told) is (client is author)
            assert "Zebulonia will be erased" not in told


async def test_hidden_between_encoding_and_writing(world: LiveWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    """The level changes after the frame was made, and before it is written: the frame is thrown away."""
    ann = await world.person("ann")
    thread_id = await ann.thread()
    build, made, hidden = hub_module.build_delivery, asyncio.Event(), asyncio.Event()

    async def build_and_wait(*arguments: Any, **options: Any) -> Any:
        delivery = await build(*arguments, **options)
        made.set()
        await hidden.wait()
        return delivery

    async with world.client() as stranger:
        await stranger.follow(thread_id)
        monkeypatch.setattr(hub_module, "build_delivery", build_and_wait)
        content_hash = await ann.posts(thread_id, "Zebulonia is told to nobody")
        await made.wait()
        await ann.must(SetPrivacy(message_hash=content_hash, level="thread"))
        hidden.set()
        updates = await stranger.updates(2)
    assert "Zebulonia" not in json.dumps(updates)


async def test_a_right_that_ends_ends_the_stream(tmp_path: Path) -> None:
    clock = MovingClock()
    async with live_world(tmp_path / "node", clock=clock) as world:
        ann, sam = await world.person("ann"), await world.person("sam")
        await sam.must(SubscribePremium(periods=1))
        thread_id = await ann.thread("premium")
        async with world.client(sam) as client, world.client() as stranger:
            await client.follow(thread_id)
            await stranger.follow(thread_id)
            text = "premium content, " * 50
            await ann.posts(thread_id, text)
            assert (await client.expect("new_message"))["payload"]["message"]["text"] == text
            await stranger.expect("new_message")
            clock.skipped_ms = PERIOD_MS + 1000
            await ann.posts(thread_id, text + "again")
            error = await client.expect("error")
            assert (error["payload"]["name"], error["thread_id"]) == ("NotPermitted", thread_id)
            await ann.posts(thread_id, text + "and again")
            await client.nothing_more()
            # Whoever had no right lost none.
            told = [update["payload"]["message"]["text"] for update in await stranger.updates(2)]
            assert told == [None, None]
            # One may follow what may still be seen.
            (sync,) = await client.follow(thread_id)
            assert [m["access"] for m in sync["payload"]["messages"]["items"]] == ["limited"] * 3


async def test_signing_out_ends_it_at_once(world: LiveWorld) -> None:
    ann, ben = await world.person("ann"), await world.person("ben")
    thread_id = await ann.thread("thread")
    await joined(ann, ben, thread_id)
    async with world.client(ben) as client:
        await client.follow(thread_id, account=True)
        assert await world.as_person(ben).post("/auth/logout") == 200
        await ann.posts(thread_id, "Zebulonia")
        received = []
        while (message := await client.next())["type"] != "error":
            received.append(message)
        assert message["payload"]["name"] == "NotSignedIn"
        assert (await client.closed())[0] == CloseCode.SESSION_ENDED
        assert received == []


async def test_an_idle_connection_ends_with_its_session_too(world: LiveWorld) -> None:
    ann = await world.person("ann")
    async with world.client(ann) as first, world.client(ann) as second:
        assert await world.as_person(ann).post("/auth/logout") == 200
        for client in (first, second):
            assert (await client.expect("error"))["payload"]["name"] == "NotSignedIn"
            assert (await client.closed())[0] == CloseCode.SESSION_ENDED


async def test_a_session_that_expires(world: LiveWorld) -> None:
    ann = await world.person("ann")
    async with world.client(ann) as client:
        (connection,) = world.node.live.connections
        assert connection.session is not None
        connection.session = connection.session._replace(expires_at_ms=world.node.live.services.clock_ms())
        await client.send("subscribe", {"account": True})
        assert (await client.expect("error"))["payload"]["name"] == "NotSignedIn"
        assert (await client.closed())[0] == CloseCode.SESSION_ENDED


async def test_a_session_that_a_newer_one_replaced(world: LiveWorld) -> None:
    ann = await world.person("ann")
    async with world.client(ann) as client:
        for _ in range(SESSIONS_PER_ADDRESS):
            await sign_in(world.caller, ann.key)
        assert (await client.expect("error"))["payload"]["name"] == "NotSignedIn"
        assert (await client.closed())[0] == CloseCode.SESSION_ENDED


async def test_the_audit_log_has_what_was_told(world: LiveWorld) -> None:
    ann, ben, eve = [await world.person(name) for name in ("ann", "ben", "eve")]
    thread_id = await ann.thread("thread")
    await joined(ann, ben, thread_id)
    async with world.client(ben) as reading, world.client(eve) as refused:
        await reading.follow(thread_id)
        await refused.follow(thread_id)
        content_hash = await ann.posts(thread_id, "for co-authors")
        await reading.expect("new_message")
        await refused.expect("new_message")
    entries = (await world.as_person(ann).get(f"/thread/{thread_id}/audit"))["items"]
    told = {entry["viewer"]: entry["is_allowed"] for entry in entries if entry["content_hash"] == content_hash}
    assert told == {ben.address: True, eve.address: False}


async def test_a_private_thread_shows_what_reading_shows(world: LiveWorld) -> None:
    ann, eve = await world.person("ann"), await world.person("eve")
    thread_id = await ann.thread("thread")
    await ann.posts(thread_id, "Zebulonia")
    async with world.client(eve) as client:
        (sync,) = await client.follow(thread_id)
        shown = await world.as_person(eve).get(f"/thread/{thread_id}")
        # Where its page stands in the thread is said by reading only.
        shown["messages"] |= {"position": None, "previous_cursor": None}
        assert {name: value for name, value in sync["payload"].items() if name in shown} == shown
        # The news of an account are its own: there is no way to name another's.
        await client.send("subscribe", {"account": True, "address": ann.address})
        assert (await client.expect("error"))["payload"]["name"] == "UnknownField"


async def test_a_memory_that_disagrees_with_the_ledger_ends_the_stream(world: LiveWorld) -> None:
    """Nothing is told by a record that the ledger contradicts, and nobody is told it for ever."""
    ann = await world.person("ann")
    thread_id, other = await ann.thread(), await ann.thread()
    services = world.node.live.services
    async with world.client() as client, world.client() as resuming:
        (sync,) = await client.follow(thread_id)
        await client.follow(other)
        by_hashes = services.records.by_hashes
        damaged = {"level": "premium"}

        def read_damaged(hashes: Any) -> Any:
            return {h: replace(record, privacy=damaged["level"]) for h, record in by_hashes(hashes).items()}

        services.records.by_hashes = read_damaged  # type: ignore[method-assign]
        await ann.posts(thread_id, "Zebulonia")
        error = await client.expect("error")
        assert (error["payload"]["name"], error["thread_id"]) == ("InternalError", thread_id)
        await resuming.send("subscribe", {"threads": [thread_id], "from_seq": sync["seq"]})
        assert (await resuming.closed())[0] == CloseCode.NODE_FAILED
        services.records.by_hashes = by_hashes  # type: ignore[method-assign]
        await ann.posts(other, "others go on")
        assert (await client.expect("new_message"))["thread_id"] == other


async def test_a_fault_in_an_accounts_news_closes_its_connections(world: LiveWorld) -> None:
    """No thread names that stream, so an error could not say which one ended: the client is to connect again."""
    ann, ben = await world.person("ann"), await world.person("ben")
    services = world.node.live.services
    thread_id = await ann.thread()
    async with world.client(ann) as told, world.client() as other:
        await told.follow(account=True)
        by_hashes = services.records.by_hashes

        def fail(hashes: Any) -> Any:
            raise OSError("the disk is gone")

        services.records.by_hashes = fail  # type: ignore[method-assign]
        spec = ben.spec(thread_id, "May I join?")
        await ben.must(spec, "May I join?")
        assert (await told.closed())[0] == CloseCode.NODE_FAILED
        services.records.by_hashes = by_hashes  # type: ignore[method-assign]
        await other.follow(thread_id)
        await ann.posts(thread_id, "others go on")
        assert (await other.expect("new_message"))["thread_id"] == thread_id
