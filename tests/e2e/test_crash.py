"""Node and index process under SIGKILL, one or both, while messages are posted, hidden and erased."""

import asyncio
import random
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
import pytest

from choir.ledger.transactions import CreateThread, Erase, SetPrivacy
from tests.support.chain import digest
from tests.support.index_process import index_processes, kill_index
from tests.support.node import Caller, NodeProcess, Wallet, calling, prepare_data_dir, running_node
from tests.support.patience import PATIENCE_SECONDS

THREAD = digest("crashes")[:32]
VICTIMS = ("index", "node", "both")
HIDING = ("premium", "thread", "encrypted", "erased")
ACKNOWLEDGED_AT_MOST = 12  # between a start and the next kill
PAUSE_MS = 40  # at most, between an acknowledgement and the kill


class Post:
    """A message whose post was sent. ``state`` is the last one acknowledged, None before any was; ``may_be`` those
    whose acknowledgement a kill may have swallowed."""

    def __init__(self, content_hash: str, text: str, word: str) -> None:
        self.hash, self.text, self.word = content_hash, text, word
        self.state: str | None = None
        self.may_be: set[str | None] = set()


class Story:
    """What ann does while processes die under her, and what she was told of it."""

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance
        self.posts: list[Post] = []
        self.acknowledged = 0
        self.news = asyncio.Event()

    async def begin(self, caller: Caller) -> None:
        ann = Wallet(caller, "ann")
        await ann.fund()
        assert (await ann.send(CreateThread(thread_id=THREAD, privacy="public"))).status == 200

    async def live(self, caller: Caller) -> None:
        """Write until the node is gone."""
        ann = Wallet(caller, "ann")
        try:
            ann.nonce = (await caller.get(f"/account/{ann.address}")).data["nonce"]
            while True:
                public = [post for post in self.posts if post.state == "public"]
                if len(public) < 3 or self.chance.random() < 0.6:
                    await self.post(ann)
                else:
                    await self.hide(ann, self.chance.choice(public))
                self.acknowledged += 1
                self.news.set()
        except (aiohttp.ClientError, ConnectionError):
            return

    async def post(self, ann: Wallet) -> None:
        word = f"zq{len(self.posts):05d}{self.chance.randrange(16**12):012x}x"
        text = f"Wrens build nests of moss near the brook, and the word of this one is {word}."
        body = ann.post(THREAD, text)
        post = Post(body.content_hash, text, word)
        post.may_be = {"public"}
        self.posts.append(post)
        await self._acknowledged(post, "public", await ann.send(body, text))

    async def hide(self, ann: Wallet, post: Post) -> None:
        state: Any = self.chance.choice(HIDING)
        post.may_be = {post.state, state}
        post.state = None
        erase, hide = Erase(message_hash=post.hash), SetPrivacy(message_hash=post.hash, level=state)
        await self._acknowledged(post, state, await ann.send(erase if state == "erased" else hide))

    async def _acknowledged(self, post: Post, state: str, reply: Any) -> None:
        assert reply.status == 200, reply.body
        post.state, post.may_be = state, set()

    async def kill(self, node: NodeProcess) -> None:
        """Wait for some acknowledgements and a moment, then kill."""
        wanted = self.acknowledged + self.chance.randint(1, ACKNOWLEDGED_AT_MOST)
        async with asyncio.timeout(PATIENCE_SECONDS):
            while self.acknowledged < wanted:
                self.news.clear()
                await self.news.wait()
        await asyncio.sleep(self.chance.randrange(PAUSE_MS) / 1000)
        victim = self.chance.choice(VICTIMS)
        print(f"{victim} killed after {self.acknowledged}")
        if victim != "node":
            killed = await asyncio.to_thread(kill_index, node.process.pid)
            print(f"{killed} index process(es)")
        if victim == "index":  # life goes on while it is filled again, for a moment
            await asyncio.sleep(self.chance.randrange(PAUSE_MS * 10) / 1000)
        await asyncio.to_thread(node.stop, signal.SIGKILL)

    async def settle(self, caller: Caller) -> None:
        """What was sent and not acknowledged is as the ledger says now; it cannot be anything but what was sent."""
        for post in list(self.posts):
            if post.state is not None:
                continue
            reply = await caller.get(f"/message/{post.hash}")
            if reply.status == 404:
                assert post.may_be == {"public"}
                self.posts.remove(post)
                continue
            post.state = state_of(reply.data)
            assert post.state in post.may_be

    async def check_hidden(self, caller: Caller) -> None:
        """Nothing that is hidden is told a stranger, by no search and no route."""
        public = {post.hash for post in self.posts if post.state == "public"}
        for post in self.posts:
            message = (await caller.get(f"/message/{post.hash}")).data
            assert state_of(message) == post.state
            assert message["text"] == (post.text if post.state == "public" else None)
            if post.state != "public":
                for query in (post.word, post.text):
                    assert hits_of(await caller.get("/search", q=query, k=100)).keys() <= public, (query, post.state)
                assert post.word not in str((await caller.get(f"/message/{post.hash}/proof")).body)

    async def check_found(self, caller: Caller) -> None:
        """Every public message is found by its word and by its vector."""
        for post in self.posts:
            if post.state == "public":
                reply = await caller.get("/search", q=post.text, k=100)
                assert reply.data["vectors_used"]
                hit = hits_of(reply)[post.hash]
                assert hit["similarity"] > 0.99
                assert hits_of(await caller.get("/search", q=post.word, k=5))[post.hash]["keyword_score"] > 0


def state_of(message: Any) -> str:
    return "erased" if message["is_erased"] else str(message["privacy"])


def hits_of(reply: Any) -> dict[str, Any]:
    return {hit["message"]["content_hash"]: hit for hit in reply.data["hits"]}


async def until_found(caller: Caller, post: Post) -> None:
    """Wait until search has caught up with a public message and uses vectors again."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            reply = await caller.get("/search", q=post.text, k=100)
            hit = hits_of(reply).get(post.hash)
            if reply.data["vectors_used"] and hit is not None and hit["similarity"] is not None:
                return
            await asyncio.sleep(0.05)


@asynccontextmanager
async def node_over(data_dir: Path, genesis_file: Path) -> AsyncIterator[tuple[NodeProcess, Caller]]:
    settings = {"genesis_file": str(genesis_file), "vector_index": "edge", "log_level": "warning"}
    with running_node(data_dir, **settings) as node:
        async with calling(node.url) as caller:
            yield node, caller


async def doctor(data_dir: Path) -> tuple[int, Any]:
    """Exit code and report of `choir doctor`."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "choir.cli.main", "doctor", "--json", "--data-dir", str(data_dir),
        stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    out, _ = await process.communicate()
    return process.returncode or 0, msgspec.json.decode(out) if out else None


async def crash_repeatedly(directory: Path, times: int, seed: int) -> None:
    print(f"seed {seed}")
    story = Story(random.Random(seed))
    data_dir = directory / "node"
    genesis_file = await asyncio.to_thread(prepare_data_dir, data_dir)
    for number in range(times):
        async with node_over(data_dir, genesis_file) as (node, caller):
            if number == 0:
                await story.begin(caller)
            await story.settle(caller)
            await story.check_hidden(caller)
            async with asyncio.TaskGroup() as group:
                group.create_task(story.live(caller))
                group.create_task(story.kill(node))
    async with node_over(data_dir, genesis_file) as (node, caller):
        await story.settle(caller)
        await story.check_hidden(caller)
        ann = Wallet(caller, "ann")
        ann.nonce = (await caller.get(f"/account/{ann.address}")).data["nonce"]
        await story.post(ann)
        await story.hide(ann, story.posts[-1])
        await story.post(ann)
        await until_found(caller, story.posts[-1])
        assert len(await asyncio.to_thread(index_processes, node.process.pid)) == 1
        await story.check_hidden(caller)
        await story.check_found(caller)
        assert await asyncio.to_thread(node.stop) == 0
    code, report = await doctor(data_dir)
    assert code == 0, report
    assert report["memory"]["problems"] == {}
    assert report["memory"]["messages"] == len(story.posts)


async def test_node_and_index_killed_a_few_times(tmp_path: Path) -> None:
    await crash_repeatedly(tmp_path, 5, seed=random.randrange(2**32))


@pytest.mark.slow
@pytest.mark.parametrize("part", range(3))
async def test_node_and_index_killed_many_times(tmp_path: Path, part: int) -> None:
    await crash_repeatedly(tmp_path, 20, seed=random.randrange(2**32))
