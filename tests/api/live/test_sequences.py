"""Numbers without gaps: what was missed comes exactly, or a snapshot in its place."""

import asyncio
import random
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from choir.api.live.limits import Limits
from choir.api.live.streams import StreamKey, Streams, keys_of
from choir.engine.protocol import SequencedEvent
from choir.ledger.transactions import CreateThread, ProcessApproval, Transfer
from tests.support.chain import NODE, digest
from tests.support.live import LiveWorld, live_world
from tests.support.patience import PATIENCE_SECONDS


def texts(updates: list[dict[str, Any]]) -> list[str]:
    return [update["payload"]["message"]["text"] for update in updates]


async def test_exactly_the_missing_updates(world: LiveWorld) -> None:
    ann = await world.person("ann")
    thread_id, other = await ann.thread(), await ann.thread()
    async with world.client() as client:
        (sync,) = await client.follow(thread_id)
        await ann.posts(thread_id, "one")
        await ann.posts(other, "elsewhere")
        one = await client.expect("new_message")
    await ann.posts(thread_id, "two")
    await ann.posts(other, "elsewhere too")
    await ann.posts(thread_id, "three")
    async with world.client() as client:
        for number, missed in ((one["seq"], ["two", "three"]), (sync["seq"], ["one", "two", "three"])):
            (batch,) = await client.follow(thread_id, from_seq=number)
            assert batch["type"] == "batch"
            assert texts(batch["payload"]["updates"]) == missed
            assert batch["payload"]["updates"][0]["payload"]["after_seq"] <= number
            assert batch["seq"] == batch["payload"]["updates"][-1]["seq"]
        # Nothing was missed: said so, and then what comes follows on.
        (batch,) = await client.follow(thread_id, from_seq=batch["seq"])
        assert batch["payload"]["updates"] == []
        await ann.posts(thread_id, "four")
        assert texts([await client.expect("new_message")]) == ["four"]


async def test_what_is_too_old_or_beyond_the_end_is_a_snapshot(tmp_path: Path) -> None:
    async with live_world(tmp_path / "node", limits=Limits(recent_events=5)) as world:
        ann = await world.person("ann")
        thread_id = await ann.thread()
        async with world.client() as client:
            (sync,) = await client.follow(thread_id)
            for number in range(7):
                await ann.posts(thread_id, f"message {number}")
            await client.updates(7)
            (again,) = await client.follow(thread_id, from_seq=sync["seq"])
            assert again["type"] == "state_sync"
            (beyond,) = await client.follow(thread_id, from_seq=again["seq"] + 1000)
            assert (beyond["type"], beyond["seq"]) == ("state_sync", again["seq"])
            await ann.posts(thread_id, "at last")
            await client.updates(1)


async def test_a_quiet_thread_is_not_mistaken_for_a_gap(tmp_path: Path) -> None:
    async with live_world(tmp_path / "node", limits=Limits(recent_events=5)) as world:
        ann = await world.person("ann")
        quiet, busy = await ann.thread(), await ann.thread()
        async with world.client() as client:
            await client.follow(quiet)
            for number in range(20):
                await ann.posts(busy, f"busy {number}")
            await ann.posts(quiet, "finally")
            # The client itself checks that nothing seems to be missing.
            assert texts(await client.updates(1)) == ["finally"]


async def test_resuming_after_the_node_was_started_again(tmp_path: Path) -> None:
    async with live_world(tmp_path / "node") as world:
        ann = await world.person("ann")
        thread_id = await ann.thread()
        async with world.client() as client:
            (sync,) = await client.follow(thread_id)
        await ann.posts(thread_id, "missed")
    async with live_world(tmp_path / "node") as world, world.client() as client:
        (batch,) = await client.follow(thread_id, from_seq=sync["seq"])
        assert texts(batch["payload"]["updates"]) == ["missed"]


async def test_clients_that_come_and_go_miss_nothing(world: LiveWorld) -> None:
    """While others write at full speed, readers leave in the middle and resume; in the end each has everything once."""
    people = [await world.person(name) for name in ("ann", "ben", "cat")]
    thread_id = await people[0].thread()
    for place, person in enumerate(people[1:], start=1):
        spec = person.spec(thread_id, f"{person.address} asks")
        await person.must(spec, f"{person.address} asks")
        for voter in people[:place]:
            await voter.must(ProcessApproval(spec_id=spec.content_hash, approve=True))
    begun = asyncio.Barrier(5)

    async def write(person: Any) -> None:
        async with world.client() as client:
            for number in range(40):
                text = f"{person.address} {number}"
                await client.submit(person, person.post(thread_id, text), text)
            for _ in range(80):
                assert "error" not in (await client.next())["payload"]

    async def read(chance: random.Random) -> list[str]:
        async with world.client() as client:
            (sync,) = await client.follow(thread_id)
        await begun.wait()
        number, seen = sync["seq"], texts_of(sync)
        while seen[-1] != "the end":
            async with world.client() as client:
                (batch,) = await client.follow(thread_id, from_seq=number)
                seen += texts(batch["payload"]["updates"])
                number = batch["seq"]
                for _ in range(chance.randrange(20)):
                    if seen[-1] == "the end":
                        break
                    message = await client.next()
                    seen += texts(message["payload"].get("updates", [message]))
                    number = message["seq"]
        return seen

    readers = [asyncio.create_task(read(random.Random(seed))) for seed in range(4)]
    await begun.wait()
    await asyncio.gather(*(write(person) for person in people))
    await people[0].posts(thread_id, "the end")
    everything = [m["text"] for m in await world.caller.items(f"/thread/{thread_id}", 200)]
    assert len(everything) == 123
    for seen in await asyncio.gather(*readers):
        assert seen == everything


async def test_the_accounts_own_news(world: LiveWorld) -> None:
    ann, ben = await world.person("ann"), await world.person("ben")
    thread_id = await ann.thread()
    await ben.must(ben.spec(thread_id, "asked before"), "asked before")
    async with world.client(ann) as client:
        (sync,) = await client.follow(account=True)
        assert "thread_id" not in sync
        assert sync["payload"]["address"] == ann.address
        (awaiting,) = sync["payload"]["awaiting"]
        assert awaiting["text"] == "asked before"
        await ann.must(Transfer(to=NODE.address, amount="7"))
        update = await client.expect("account_update")
        assert update["payload"]["event"]["amount"] == "7"
        assert update["payload"]["balance"] == (await world.as_person(None).get(f"/account/{ann.address}"))["balance"]
        await ann.must(ProcessApproval(spec_id=awaiting["spec_id"], approve=False))
        vote, settled = await client.updates(2)
        assert (vote["type"], vote["payload"]["event"]["type"]) == ("account_update", "approval_cast")
        assert settled["type"] == "settled"
        # Others' news are not hers.
        await ben.must(Transfer(to=NODE.address, amount="7"))
        await client.nothing_more()
        number = settled["seq"]
    await ann.must(CreateThread(thread_id=digest("another")[:32], privacy="public"))
    async with world.client(ann) as client:
        (batch,) = await client.follow(account=True, from_seq=number)
        assert [u["payload"]["event"]["type"] for u in batch["payload"]["updates"]] == ["thread_created"]


async def test_unsubscribing(world: LiveWorld) -> None:
    ann = await world.person("ann")
    thread_id = await ann.thread()
    async with world.client(ann) as client:
        await client.follow(thread_id, account=True)
        await client.send("unsubscribe", {"threads": [thread_id], "account": True})
        await client.nothing_more()
        await ann.posts(thread_id, "unheard")
        await client.nothing_more()
        assert world.node.live.streams.open(StreamKey("thread", thread_id)).subscriptions == set()


async def test_many_updates_at_once_come_in_batches_of_bounded_size(world: LiveWorld) -> None:
    ann = await world.person("ann")
    thread_id = await ann.thread()
    big = [f"{number} " + "x" * 60_000 for number in range(12)]
    async with world.client() as client:
        (sync,) = await client.follow(thread_id)
        for text in big:
            await ann.posts(thread_id, text)
        await client.updates(12)
    async with world.client() as client:
        # The client refuses frames beyond 1 MiB.
        (first,) = await client.follow(thread_id, from_seq=sync["seq"])
        found = first["payload"]["updates"]
        assert 1 < len(found) < 12
        found += await client.updates(12 - len(found))
        assert texts(found) == big
        (sync,) = await client.follow(thread_id)
        assert sync["payload"]["has_older"]
        assert texts_of(sync) == big[-len(texts_of(sync)) :]


def texts_of(sync: dict[str, Any]) -> list[str]:
    return [message["text"] for message in sync["payload"]["messages"]["items"]]


def event(seq: int, thread: str, voters: tuple[str, ...] = ()) -> SequencedEvent:
    fields: dict[str, Any] = {"type": "divested", "thread_id": thread, "co_author": "ann", "voters": voters}
    return SequencedEvent(seq=seq, height=seq, time_ms=seq, tx_hash=None, fields=fields)


@given(
    events=st.lists(st.tuples(st.sampled_from("abc"), st.sets(st.sampled_from(["ben", "cat"]))), max_size=40),
    begin=st.integers(0, 50),
    capacity=st.integers(1, 20),
    asked=st.integers(0, 100),
)
def test_streams_give_exactly_what_is_missing_or_say_that_they_cannot(
    events: list[tuple[str, set[str]]], begin: int, capacity: int, asked: int
) -> None:
    streams = Streams(capacity)
    streams.begin_after(begin)
    all_events = [
        event(begin + number, thread, tuple(voters)) for number, (thread, voters) in enumerate(events, start=1)
    ]
    for each in all_events:
        streams.append(each)
    assert streams.head_seq == begin + len(events)
    assert streams.floor_seq == max(begin, streams.head_seq - capacity)
    for key in [StreamKey("thread", name) for name in "abcd"] + [StreamKey("account", n) for n in ("ann", "ben")]:
        missing = streams.open(key).missing_after(asked)
        expected = [each.seq for each in all_events if each.seq > asked and key in keys_of(each)]
        if missing is None:
            assert asked < streams.floor_seq
        else:
            assert [entry.seq for entry in missing] == expected
            number = asked
            for entry in missing:
                assert entry.after_seq <= number < entry.seq
                number = entry.seq


def test_streams_forget_what_they_do_not_need() -> None:
    streams = Streams(10)
    for seq in range(1, 1001):
        streams.append(event(seq, f"thread {seq}"))
    held = [key for key in streams._streams if streams.open(key).recent]
    assert len(held) == len(streams._streams) == 11


async def test_clients_that_leave_are_forgotten(world: LiveWorld) -> None:
    ann = await world.person("ann")
    thread_id = await ann.thread()
    hub = world.node.live
    for _ in range(3):
        async with world.client(ann) as client:
            await client.follow(thread_id, account=True)
            assert len(hub.connections) == 1
        await gone(hub.connections)
    assert all(not stream.subscriptions for stream in hub.streams._streams.values())


async def gone(connections: set[Any]) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while connections:  # noqa: ASYNC110  the node has no reason to tell it
            await asyncio.sleep(0.01)
