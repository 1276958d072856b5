"""Random lives of threads on a real node; after every step every route is asked by everybody, and what comes back is
held against an oracle of who may read what."""

import asyncio
import os
import random
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from choir.ledger.transactions import Erase, ProcessApproval, SetPrivacy, SubscribePremium
from tests.privacy.world import AsgiCaller, MovingClock, Person, World, running_world, sign_in
from tests.support.index_process import kill_index
from tests.support.patience import PATIENCE_SECONDS

LEVELS = ("public", "premium", "thread", "encrypted")
STRICTNESS = {level: place for place, level in enumerate(LEVELS)}
NAMES = ("ann", "ben", "cat", "eve", "sam")
STEPS = {"exact": 12, "edge": 8}
PERIOD_MS = 2_592_000_000
_words = count(1)


class Post:
    """A message or spec as the test knows it. ``word`` stands in no other text."""

    def __init__(self, content_hash: str, thread_id: str, author: str, level: str, text: str, word: str) -> None:
        self.hash, self.thread_id, self.author, self.level = content_hash, thread_id, author, level
        self.text, self.word = text, word
        self.status, self.is_erased = "approved", False
        self.priors: list[Post] = []


class Viewer(NamedTuple):
    """Who asks. ``address`` is None when signed out."""

    address: str | None
    asks: AsgiCaller


class Oracle:
    """Who may read and find what; written from design/memory.md alone."""

    def __init__(self) -> None:
        self.posts: list[Post] = []
        self.co_authors: dict[str, set[str]] = {}
        self.premium_until_ms: dict[str, int] = {}
        self.now_ms = 0

    def may_read(self, viewer: str | None, post: Post) -> bool:
        if post.is_erased:
            return False
        if post.level == "public":
            return True
        if viewer is None:
            return False
        if viewer == post.author or viewer in self.co_authors[post.thread_id]:
            return True
        return post.level == "premium" and self.premium_until_ms.get(viewer, 0) > self.now_ms

    def may_find(self, viewer: str | None, post: Post) -> bool:
        if post.is_erased or post.status != "approved" or post.level == "encrypted":
            return False
        is_co_author = viewer is not None and viewer in self.co_authors[post.thread_id]
        # Having written it is no right to search it; being a co-author or premium is.
        is_premium = viewer is not None and self.premium_until_ms.get(viewer, 0) > self.now_ms
        return post.level == "public" or is_co_author or (post.level == "premium" and is_premium)


class Life:
    """One random life: ``step`` changes something, ``check`` asks everything."""

    world: World

    def __init__(self, clock: MovingClock, chance: random.Random) -> None:
        self.clock, self.chance = clock, chance
        self.people: list[Person] = []
        self.by_address: dict[str, Person] = {}
        self.oracle = Oracle()
        self.thread_level: dict[str, str] = {}
        self.viewers: list[Viewer] = []

    async def enter(self, world: World) -> None:
        """Go on in ``world``, which is a new one or the same after a restart."""
        self.world = world
        for person in self.people:
            person.caller = world.stranger
            person.asks = AsgiCaller(world.client, await sign_in(world.stranger, person.key))
        if not self.people:
            await self.begin()
        self.viewers = [Viewer(person.address, person.asks) for person in self.people] + [Viewer(None, world.stranger)]

    async def begin(self) -> None:
        self.people = [await self.world.person(name) for name in NAMES]
        self.by_address = {person.address: person for person in self.people}
        for person, level in zip(self.people[:3], ("public", "thread", "premium"), strict=True):
            thread_id = await self.world.new_thread(person, level)
            self.oracle.co_authors[thread_id] = {person.address}
            self.thread_level[thread_id] = level
            await self.post(person, thread_id, None)

    async def step(self) -> str:
        actions: list[Any] = [self.post_any, self.post_any, self.submit, self.vote, self.set_privacy, self.set_privacy]
        actions += [self.set_privacy, self.erase, self.buy, self.expire]
        action = self.chance.choice(actions)
        await action()
        network = (await self.world.stranger.get("/network")).data
        self.oracle.now_ms = network["time_ms"]
        return str(action.__name__)

    def write(self) -> tuple[str, str]:
        """A text and its secret word, which is too long for any summary to quote."""
        word = f"zq{next(_words):06d}xw{self.chance.randrange(16**20):020x}q7"
        filler = "The committee met again about the fee market and wrote down what it wants to keep quiet. "
        return filler * self.chance.randint(0, 8) + f"The secret is {word}, do not tell.", word

    async def post(self, person: Person, thread_id: str, level: Any) -> None:
        text, word = self.write()
        priors = self.priors(person)
        body = person.post(thread_id, text, tuple(prior.hash for prior in priors), privacy=level)
        await person.must(body, text)
        shown = level or self.thread_level[thread_id]
        post = Post(body.content_hash, thread_id, person.address, shown, text, word)
        post.priors = priors
        self.oracle.posts.append(post)

    def priors(self, person: Person) -> list[Post]:
        """Up to two messages that the person may cite."""
        found = [
            post
            for post in self.oracle.posts
            if post.status == "approved"
            and not post.is_erased
            and (post.level == "public" or person.address in self.oracle.co_authors[post.thread_id])
        ]
        return self.chance.sample(found, min(len(found), self.chance.randint(0, 2)))

    async def post_any(self) -> None:
        thread_id = self.chance.choice(list(self.thread_level))
        author = self.by_address[self.chance.choice(sorted(self.oracle.co_authors[thread_id]))]
        await self.post(author, thread_id, self.chance.choice((None, *LEVELS)))

    async def submit(self) -> None:
        thread_id = self.chance.choice(list(self.thread_level))
        outsiders = [p for p in self.people if p.address not in self.oracle.co_authors[thread_id]]
        waiting = {p.author for p in self.oracle.posts if p.status == "open" and p.thread_id == thread_id}
        outsiders = [p for p in outsiders if p.address not in waiting and p.address != self.people[-1].address]
        if not outsiders:
            return
        person, (text, word) = self.chance.choice(outsiders), self.write()
        level = self.chance.choice((None, *LEVELS))
        spec = person.spec(thread_id, text, privacy=level)
        await person.must(spec, text)
        shown = level or self.thread_level[thread_id]
        post = Post(spec.content_hash, thread_id, person.address, shown, text, word)
        post.status = "open"
        self.oracle.posts.append(post)

    async def vote(self) -> None:
        specs = [post for post in self.oracle.posts if post.status == "open" and not post.is_erased]
        if not specs:
            return
        post, approve = self.chance.choice(specs), self.chance.random() < 0.7
        for address in (await self.world.stranger.get(f"/specs?thread_id={post.thread_id}&status=open")).data["items"]:
            if address["spec_id"] == post.hash:
                voters = address["voters"]
        for voter in voters:
            await self.by_address[voter].must(ProcessApproval(spec_id=post.hash, approve=approve))
            if not approve:
                break
        if approve:
            post.status = "approved"
            self.oracle.co_authors[post.thread_id].add(post.author)
        else:
            listed = (await self.world.stranger.get(f"/message/{post.hash}")).data
            post.status = listed["status"]

    async def set_privacy(self) -> None:
        posts = [post for post in self.oracle.posts if not post.is_erased]
        if not posts:
            return
        post, level = self.chance.choice(posts), self.chance.choice(LEVELS)
        actors = {post.author}
        if STRICTNESS[level] > STRICTNESS[post.level]:
            actors |= self.oracle.co_authors[post.thread_id]
        actor = self.by_address[self.chance.choice(sorted(actors))]
        await actor.must(SetPrivacy(message_hash=post.hash, level=level))
        post.level = level

    async def erase(self) -> None:
        posts = [post for post in self.oracle.posts if not post.is_erased]
        if len(posts) < 4:
            return
        post = self.chance.choice(posts)
        await self.by_address[post.author].must(Erase(message_hash=post.hash))
        post.is_erased = True

    async def buy(self) -> None:
        person = self.chance.choice(self.people[3:4])
        await person.must(SubscribePremium(periods=1))
        account = (await self.world.stranger.get(f"/account/{person.address}")).data
        self.oracle.premium_until_ms[person.address] = account["premium_until_ms"]

    async def expire(self) -> None:
        """Let the running memberships end. Open specs expire with them."""
        self.clock.skipped_ms += 2 * PERIOD_MS
        await self.people[0].must(SubscribePremium(periods=1))  # a block, so that time goes on
        account = (await self.world.stranger.get(f"/account/{self.people[0].address}")).data
        self.oracle.premium_until_ms[self.people[0].address] = account["premium_until_ms"]
        for post in self.oracle.posts:
            post.status = "expired" if post.status == "open" else post.status

    async def check(self) -> None:
        """Everything that everybody is told."""
        await self.world.indexed()
        for viewer in [*self.chance.sample(self.viewers[:-1], 2), self.viewers[-1]]:
            told = await self.ask_all(viewer)
            for post in self.oracle.posts:
                if not self.oracle.may_read(viewer.address, post):
                    for path, raw in told.items():
                        assert post.word not in raw.casefold(), (path, viewer.address, post.level, post.status)
            await self.check_reads(viewer)
            await self.check_searches(viewer)

    def paths(self) -> list[str]:
        found = ["/threads", "/threads?limit=1", "/specs", "/specs?status=open", "/network", "/genesis", "/block/2"]
        found += ["/validators", "/epochs"]
        for thread_id in self.thread_level:
            found += [f"/thread/{thread_id}", f"/thread/{thread_id}/audit", f"/thread/{thread_id}/key"]
            found += [f"/specs?thread_id={thread_id}"]
        for person in self.people:
            found += [f"/account/{person.address}", f"/threads?co_author={person.address}"]
            found += [f"/specs?voter={person.address}", f"/specs?author={person.address}"]
        for post in self.oracle.posts:
            found += [f"/message/{post.hash}{rest}" for rest in ("", "/proof", "/citations")]
        return found

    async def ask_all(self, viewer: Viewer) -> dict[str, str]:
        """Every answer's bytes by what was asked."""
        told = {path: (await viewer.asks.get(path)).raw for path in self.paths()}
        for post in self.oracle.posts:
            message = (await self.world.stranger.get(f"/message/{post.hash}")).data
            for route in ("tx", "proof"):
                path = f"/{route}/{message['tx_hash']}"
                told[path] = (await viewer.asks.get(path)).raw
        for path in ("/metrics", "/openapi.json", "/docs", "/health/ready"):
            told[path] = (await self.world.root.get(path)).raw
        for post in self.oracle.posts[-4:]:
            for filters in ({"author": post.author}, {"thread_id": post.thread_id}, {"privacy": "thread"}):
                query = {"q": "secret committee", "k": 100, **filters}
                told[f"/search {query}"] = (await viewer.asks.get("/search", **query)).raw
        for text in ("the secret of the committee", "fee market"):
            told[f"suggest {text}"] = (await viewer.asks.post("/priors/suggest", {"text": text, "k": 100})).raw
        return told

    async def check_reads(self, viewer: Viewer) -> None:
        for post in self.oracle.posts:
            may_read = self.oracle.may_read(viewer.address, post)
            message = (await viewer.asks.get(f"/message/{post.hash}")).data
            proof = (await viewer.asks.get(f"/message/{post.hash}/proof")).data
            assert message["text"] == (post.text if may_read else None), (post.level, post.status)
            assert (message["salt"] is not None) == may_read
            assert ((proof.get("content") or {}).get("text") == post.text) == may_read
            if not may_read or not all(self.oracle.may_read(viewer.address, prior) for prior in post.priors):
                assert (message["resonance"], message["coherence"]) == (None, None)
            elif post.status == "approved" and post.level != "encrypted":
                assert message["resonance"] is not None

    async def check_searches(self, viewer: Viewer) -> None:
        """The words and the whole text of each message find it for whoever may, and nothing of it for others."""
        findable = {post.hash for post in self.oracle.posts if self.oracle.may_find(viewer.address, post)}
        for post in self.oracle.posts:
            for query in (post.word, post.text):
                found = (await viewer.asks.get("/search", q=query, k=100)).data["hits"]
                hashes = {hit["message"]["content_hash"] for hit in found}
                assert hashes <= findable, (viewer.address, post.level, post.status)
                assert (post.hash in hashes) == (post.hash in findable), (viewer.address, post.level, post.status)
            suggested = (await viewer.asks.post("/priors/suggest", {"text": post.text, "k": 100})).data
            assert {item["message"]["content_hash"] for item in suggested} <= findable


async def answered_with_vectors(world: World) -> None:
    """Wait until the vector index answers: one with a process of its own may be opening, or being filled again."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        number = 0
        while not (await world.stranger.get("/search", q=f"anything {number}")).data["vectors_used"]:
            number += 1
            await asyncio.sleep(0.05)


LIVES = [("exact", 0), ("edge", 1), *(pytest.param("exact", number, marks=pytest.mark.slow) for number in (2, 3))]


@pytest.mark.parametrize(("vector_index", "number"), LIVES, ids=str)
async def test_nobody_is_told_what_they_may_not_read(
    tmp_path: Path,
    request: pytest.FixtureRequest,
    vector_index: str,
    number: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The node stops and starts in the middle of it. An index with a process of its own is killed in each half: one
    look comes while it is filled again, the others when it answers."""
    monkeypatch.setattr("choir.memory.indexes.edge.SEARCH_SECONDS", PATIENCE_SECONDS)
    seed = f"{request.config.option.hypothesis_seed}-{number}"
    print(f"seed {seed}")
    clock = MovingClock()
    life = Life(clock, random.Random(seed))
    steps = STEPS[vector_index] // 2
    for _ in range(2):
        async with running_world(tmp_path / "node", clock=clock, vector_index=vector_index) as world:
            await life.enter(world)
            await answered_with_vectors(world)
            killed_at = life.chance.randrange(steps) if vector_index == "edge" else None
            for step in range(steps):
                print(await life.step())
                if step == killed_at:
                    print("the index is killed")
                    assert kill_index(os.getpid()) == 1
                    await life.check()
                    await answered_with_vectors(world)
                await life.check()
