"""What strangers get is the same, to the byte, whether private messages are there or not."""

import asyncio
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from choir.ledger.transactions import Erase, SetPrivacy, SubscribePremium
from tests.privacy.world import AsgiCaller, Person, World, running_world
from tests.support.chain import digest
from tests.support.patience import PATIENCE_SECONDS

PUBLIC = [
    "A fee market for data blobs, priced apart from ordinary gas.",
    "Blob transactions carry commitments to data that the chain does not execute.",
    "A standard interface for fungible tokens: transfer, approve, balance.",
    "Non-fungible tokens are deeds: each has one owner.",
    "Quadratic voting lets people express how much they care.",
    "Cooking pasta takes eleven minutes in salted water.",
]
PRIVATE = [
    "A fee market for data blobs, priced apart from ordinary gas!",  # nearly a public one
    "The blob fee market will be changed next Tuesday, says Zebulonia.",
    "Quadratic pasta voting tokens balance blobs deeds Zebulonia.",
]
QUERIES = [
    *PUBLIC,
    *PRIVATE,
    "fee market blobs",
    "Zebulonia",
    "pasta",
    "zebulonia pasta voting " + " ".join(f"unseen{number}" for number in range(80)),
]


async def told(asks: AsgiCaller, thread_id: str) -> list[Any]:
    """Every search and suggestion, as bytes but for the metadata."""
    answers: list[Any] = []
    for query in QUERIES:
        for filters in ({}, {"k": 1}, {"thread_id": thread_id}, {"privacy": "thread"}):
            reply = await asks.get("/search", q=query, **filters)
            answers.append((reply.status, reply.raw.partition('"metadata"')[0]))
        reply = await asks.post("/priors/suggest", {"text": query, "k": 100})
        answers.append((reply.status, reply.raw.partition('"metadata"')[0]))
    return answers


async def begin(world: World) -> tuple[Person, str, list[str]]:
    """The public corpus: a thread whose messages cite each other."""
    ann = await world.person("ann")
    thread_id = await world.new_thread(ann)
    hashes: list[str] = []
    for text in PUBLIC:
        body = ann.post(thread_id, text, tuple(hashes[-2:]))
        await ann.must(body, text)
        hashes.append(body.content_hash)
    await world.indexed()
    async with asyncio.timeout(PATIENCE_SECONDS):
        # An index with a process of its own may still be opening.
        while not (await world.stranger.get("/search", q="anything")).data["vectors_used"]:  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    return ann, thread_id, hashes


@pytest.fixture(params=["exact", "edge"])
def vector_index(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    # A search that gives up on its index answers by words alone, and so differs from the others.
    monkeypatch.setattr("choir.memory.indexes.edge.SEARCH_SECONDS", PATIENCE_SECONDS)
    return str(request.param)


async def test_strangers_answers_do_not_depend_on_private_messages(tmp_path: Path, vector_index: str) -> None:
    async with running_world(tmp_path / "node", vector_index=vector_index) as world:
        ann, thread_id, hashes = await begin(world)
        sam, eve = await world.person("sam"), await world.person("eve")
        await eve.must(SubscribePremium(periods=1))
        private_thread = await world.new_thread(eve, "thread")
        viewers = [world.stranger, sam.asks]
        before = [await told(viewer, thread_id) for viewer in viewers]
        assert any("Zebulonia" not in raw and '"hits":[{' in raw for _, raw in before[0])
        posted: list[str] = []
        for number, text in enumerate(PRIVATE * 3):
            level: Any = ("thread", "premium", "encrypted")[number % 3]
            author, where = ((ann, thread_id), (eve, private_thread))[number % 2]
            text = f"{text} {number}" if number >= len(PRIVATE) else text
            body = author.post(where, text, (hashes[number % len(hashes)],), privacy=level)
            await author.must(body, text)
            posted.append((body.content_hash, author))  # type: ignore[arg-type]
        await world.indexed()
        assert [await told(viewer, thread_id) for viewer in viewers] == before
        for number, (content_hash, author) in enumerate(posted):  # type: ignore[misc]
            for level in ("premium", "thread", "encrypted", "premium")[number % 3 :]:
                await author.must(SetPrivacy(message_hash=content_hash, level=level))
        assert [await told(viewer, thread_id) for viewer in viewers] == before
        await world.indexed()
        assert [await told(viewer, thread_id) for viewer in viewers] == before
        for content_hash, author in posted[::3]:  # type: ignore[misc]
            await author.must(Erase(message_hash=content_hash))
        assert [await told(viewer, thread_id) for viewer in viewers] == before
        await world.indexed()
        # The co-author and the premium member do find them.
        assert "Zebulonia" in (await ann.asks.get("/search", q="zebulonia")).raw
        assert "Zebulonia" in (await eve.asks.get("/search", q="zebulonia", thread_id=private_thread)).raw


async def test_what_is_hidden_is_gone_with_the_receipt(tmp_path: Path, vector_index: str) -> None:
    """No wait between receipt and search: indexes and caches have followed by then."""
    async with running_world(tmp_path / "node", vector_index=vector_index) as world:
        ann, thread_id, _ = await begin(world)
        before = await told(world.stranger, thread_id)
        for number, level in enumerate(("thread", "premium", "encrypted", None)):
            text = f"{PRIVATE[1]} Number {number}."
            body = ann.post(thread_id, text)
            await ann.must(body, text)
            await world.indexed()
            assert text in (await world.stranger.get("/search", q=text)).raw
            await told(world.stranger, thread_id)  # fills the cache
            hiding = Erase(message_hash=body.content_hash)
            if level is not None:
                hiding = SetPrivacy(message_hash=body.content_hash, level=level)  # type: ignore[assignment,arg-type]
            await ann.must(hiding)
            assert await told(world.stranger, thread_id) == before


async def scores(asks: AsgiCaller, query: str, **filters: Any) -> list[tuple[str, float]]:
    """Messages and scores of a search that used vectors, in its order."""
    found = (await asks.get("/search", q=query, k=100, **filters)).data
    assert found["vectors_used"]
    return [(hit["message"]["content_hash"], hit["score"]) for hit in found["hits"]]


async def test_private_messages_support_nothing_that_strangers_find(tmp_path: Path, vector_index: str) -> None:
    """A thread's best message gains from its next two: from those that the asker may find, and from no other."""
    async with running_world(tmp_path / "node", vector_index=vector_index) as world:
        ann, thread_id, hashes = await begin(world)
        questions = [(query, filters) for query in QUERIES for filters in ({}, {"thread_id": thread_id})]
        before = [await scores(world.stranger, query, **filters) for query, filters in questions]
        posted = []
        for number, level in enumerate(("public", "thread", "premium")):
            text = f"{PUBLIC[0]} Once more, {number}."
            body = ann.post(thread_id, text, privacy=level)  # type: ignore[arg-type]
            await ann.must(body, text)
            posted.append(body.content_hash)
        await world.indexed()
        supported = dict(await scores(ann.asks, PUBLIC[0]))
        seen = dict(await scores(world.stranger, PUBLIC[0]))
        assert seen.keys() == {*hashes, posted[0]}
        assert max(supported.values()) > max(seen.values()) > before[0][0][1]  # it is there to be told
        await ann.must(SetPrivacy(message_hash=posted[0], level="thread"))
        for _ in range(2):
            assert [await scores(world.stranger, query, **filters) for query, filters in questions] == before
            await world.indexed()


async def test_a_change_while_a_message_is_being_indexed_is_not_lost(tmp_path: Path) -> None:
    """Hidden right after it was posted: no index may keep what it read before."""
    async with running_world(tmp_path / "node") as world:
        ann, thread_id, _ = await begin(world)
        before = await told(world.stranger, thread_id)
        for number in range(40):
            text = f"{PRIVATE[1]} Number {number} zq{number}."
            body = ann.post(thread_id, text)
            await ann.send(body, text, wait="admitted")
            hiding = Erase(message_hash=body.content_hash)
            if number % 2:
                hiding = SetPrivacy(message_hash=body.content_hash, level="thread")  # type: ignore[assignment]
            await ann.send(hiding, wait="admitted" if number % 3 else "final")
        await ann.must(SubscribePremium(periods=1))
        await world.indexed()
        assert await told(world.stranger, thread_id) == before
        database = sqlite3.connect(tmp_path / "node" / "memory.db")
        stale = database.execute(
            "SELECT record.id FROM keyword_points JOIN record ON record.id = point_id"
            " WHERE record.is_erased OR record.privacy <> keyword_points.privacy"
        ).fetchall()
        kept = database.execute("SELECT id FROM record WHERE is_erased AND embedding IS NOT NULL").fetchall()
        database.close()
        assert (stale, kept) == ([], [])


async def test_resonance_with_a_private_prior_is_not_told(tmp_path: Path) -> None:
    """How close a public message is to a private one that it cites is for those who may read both."""
    async with running_world(tmp_path / "node") as world:
        ann = await world.person("ann")
        thread_id = await world.new_thread(ann, "thread")
        cited = ann.post(thread_id, PRIVATE[1])
        await ann.must(cited, PRIVATE[1])
        citing = ann.post(thread_id, PUBLIC[0], (cited.content_hash,), privacy="public")
        await ann.must(citing, PUBLIC[0])
        await world.indexed()
        path = f"/message/{citing.content_hash}"
        assert (await ann.asks.get(path)).data["resonance"] > 0.1
        for asks in (world.stranger, (await world.person("sam")).asks):
            seen = (await asks.get(path)).data
            assert (seen["text"], seen["resonance"], seen["coherence"]) == (PUBLIC[0], None, None)
            (hit,) = (await asks.get("/search", q=PUBLIC[0])).data["hits"]
            assert (hit["resonance"], hit["message"]["resonance"]) == (None, None)
            (prior,) = (await asks.get(f"{path}/citations")).data["priors"]
            assert (prior["resonance"], prior["phase"], prior["entanglement"]) == (None, None, None)


async def test_the_centroid_of_private_messages_is_not_told(tmp_path: Path) -> None:
    """The phase of a citation is measured from the mean of the whole thread: only who may read the thread gets it."""
    async with running_world(tmp_path / "node") as world:
        ann, thread_id, hashes = await begin(world)

        async def phases(asks: AsgiCaller) -> list[list[float | None]]:
            told = (await asks.get(f"/message/{hashes[2]}/citations")).data
            assert all(link["resonance"] is not None for link in (*told["priors"], *told["cited_by"]["items"]))
            return [[link["phase"] for link in links] for links in (told["priors"], told["cited_by"]["items"])]

        before = await phases(world.stranger)
        assert [[isinstance(phase, float) for phase in links] for links in before] == [[True] * 2] * 2
        await ann.must(ann.post(thread_id, PRIVATE[1], privacy="thread"), PRIVATE[1])
        await world.indexed()
        assert await phases(world.stranger) == [[None] * 2] * 2
        assert await phases(ann.asks) == before


async def test_unknown_and_private_ids_look_the_same(tmp_path: Path) -> None:
    """Routes for co-authors answer others as if the thread did not exist."""
    async with running_world(tmp_path / "node") as world:
        ann, sam = await world.person("ann"), await world.person("sam")
        thread_id = await world.new_thread(ann, "thread")
        text = PRIVATE[0]
        await ann.must(ann.post(thread_id, text), text)
        for asks, status in ((sam.asks, 404), (world.stranger, 401)):
            for rest in ("audit", "key", "audit?cursor=x", "audit?limit=1"):
                private = await asks.get(f"/thread/{thread_id}/{rest}")
                unknown = await asks.get(f"/thread/{digest('nowhere')[:32]}/{rest}")
                assert private.status == status
                assert private.shape == unknown.shape
        # A search within a private thread finds what a search within none finds.
        private = await sam.asks.get("/search", q=text, thread_id=thread_id)
        unknown = await sam.asks.get("/search", q=text, thread_id=digest("nowhere")[:32])
        assert private.shape == unknown.shape
