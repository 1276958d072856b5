"""The titles of what is found: for whoever may read the message that begins the thread, and nobody else."""

from pathlib import Path

from choir.ledger.transactions import SetPrivacy, SubscribePremium
from tests.privacy.world import AsgiCaller, running_world

TITLES = {"thread": "Ospreys of the quiet lake", "premium": "Gannets of the paid cliff", "encrypted": "Terns in cipher"}


async def titles(asks: AsgiCaller) -> set[str | None]:
    """What searching and suggesting tell as titles."""
    hits = (await asks.get("/search", q="birds dive for fish", k=100)).data["hits"]
    suggested = (await asks.post("/priors/suggest", {"text": "birds dive for fish", "k": 100})).data
    told = {item["title"] for item in hits}
    assert told == {item["title"] for item in suggested}
    # The list of threads tells the same titles to the same people.
    listed = {item["thread_id"]: item["title"] for item in (await asks.get("/threads")).data["items"]}
    assert all(item["title"] == listed[item["message"]["thread_id"]] for item in [*hits, *suggested])
    return told


async def test_a_title_is_told_to_whoever_may_read_it(tmp_path: Path) -> None:
    async with running_world(tmp_path / "node") as world:
        ann, eve, sam = await world.person("ann"), await world.person("eve"), await world.person("sam")
        await eve.must(SubscribePremium(periods=1))
        openings: dict[str, str] = {}
        for level, title in TITLES.items():
            thread_id = await world.new_thread(ann, level)
            opening = ann.post(thread_id, f"# {title}")
            await ann.must(opening, f"# {title}")
            openings[level] = opening.content_hash
            # Everybody finds a thread's public message, whatever its opening is.
            text = f"Birds dive for fish, say {level} people."
            await ann.must(ann.post(thread_id, text, privacy="public"), text)
        await world.indexed()
        assert await titles(ann.asks) == {TITLES["thread"], TITLES["premium"], None}
        assert await titles(eve.asks) == {TITLES["premium"], None}
        assert await titles(sam.asks) == {None}
        assert await titles(world.stranger) == {None}
        raw = (await world.stranger.get("/search", q="birds dive for fish", k=100)).raw
        assert not any(title in raw for title in TITLES.values())
        await ann.must(SetPrivacy(message_hash=openings["premium"], level="thread"))
        await world.indexed()
        assert await titles(eve.asks) == {None}
