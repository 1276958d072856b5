"""Snapshots, then updates, without a gap."""

from choir.ledger.transactions import ProcessApproval
from tests.support.live import LiveWorld


async def test_welcome_snapshot_and_updates(world: LiveWorld) -> None:
    ann = await world.person("ann")
    thread_id = await ann.thread()
    await ann.posts(thread_id, "before")
    async with world.client() as client:
        assert client.welcome["payload"]["protocol"] == 1
        assert client.welcome["payload"]["address"] is None
        (sync,) = await client.follow(thread_id)
        assert sync["type"] == "state_sync"
        assert [m["text"] for m in sync["payload"]["messages"]["items"]] == ["before"]
        content_hash = await ann.posts(thread_id, "after")
        update = await client.expect("new_message")
        assert update["payload"]["message"]["text"] == "after"
        shown = await world.as_person(None).get(f"/message/{content_hash}")
        # They are computed a moment later, which is no event.
        quantities = {"resonance": None, "coherence": None}
        assert update["payload"]["message"] | quantities == shown | quantities
        assert update["payload"]["message_count"] == 2


async def test_a_spec_from_submission_to_settlement(world: LiveWorld) -> None:
    ann, ben = await world.person("ann"), await world.person("ben")
    thread_id = await ann.thread()
    async with world.client(ann) as hers, world.client(ben) as his, world.client() as theirs:
        (account,) = await hers.follow(account=True)
        assert account["payload"]["awaiting"] == []
        await his.follow(thread_id)
        await theirs.follow(thread_id)
        spec = ben.spec(thread_id, "let me in")
        await ben.must(spec, "let me in")
        request = await hers.expect("approval_request")
        assert request["payload"]["spec"]["text"] == "let me in"
        assert "thread_id" not in request
        assert (await his.expect("approval_request"))["payload"]["spec"]["text"] == "let me in"
        await ann.must(ProcessApproval(spec_id=spec.content_hash, approve=True))
        types = [u["type"] for u in await his.updates(3)]
        assert types == ["new_approval", "settled", "thread_update"]
        types = [u["type"] for u in await theirs.updates(4)]
        assert types == ["approval_request", "new_approval", "settled", "thread_update"]
