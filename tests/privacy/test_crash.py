"""The node is killed right after the receipt that hid or erased a message; what comes up again shows nothing of it."""

import signal
from pathlib import Path
from typing import Any

import pytest

from choir.ledger.transactions import CreateThread, Erase, SetPrivacy
from tests.privacy.test_at_rest import find, secret
from tests.support.chain import digest
from tests.support.node import Caller, NodeProcess, Wallet, calling, prepare_data_dir, running_node

THREAD = digest("crash")[:32]


async def begin(caller: Caller, text: str) -> tuple[Wallet, str]:
    """A public message that search finds."""
    ann = Wallet(caller, "ann")
    await ann.fund()
    assert (await ann.send(CreateThread(thread_id=THREAD, privacy="public"))).status == 200
    message = ann.post(THREAD, text)
    assert (await ann.send(message, text)).status == 200
    for _ in range(200):
        if message.content_hash in str((await caller.get("/search", q=text)).data["hits"]):
            return ann, message.content_hash
    raise AssertionError("the message was not indexed")


def hide(how: str, content_hash: str) -> Any:
    return Erase(message_hash=content_hash) if how == "erase" else SetPrivacy(message_hash=content_hash, level="thread")


async def assert_hidden(node: NodeProcess, content_hash: str, text: str, words: list[str]) -> None:
    async with calling(node.url) as caller:
        # The very first answers: search may still be opening.
        for query in (text, *words):
            found = await caller.get("/search", q=query)
            assert found.data["hits"] == []
        told = [await caller.get(path) for path in (f"/message/{content_hash}", f"/thread/{THREAD}", "/threads")]
        told.append(await caller.get(f"/message/{content_hash}/proof"))
        assert not any(word in str(reply.body) for reply in told for word in words)


@pytest.mark.parametrize(("how", "wait"), [("thread", "final"), ("erase", "admitted")])
async def test_killed_right_after_hiding(tmp_path: Path, how: str, wait: str) -> None:
    text, words = secret("crash")
    data_dir = tmp_path / "node"
    genesis_file = str(prepare_data_dir(data_dir))
    with running_node(data_dir, genesis_file=genesis_file) as node:
        async with calling(node.url) as caller:
            ann, content_hash = await begin(caller, text)
            reply = await ann.send(hide(how, content_hash), wait=wait)
            assert reply.status == (200 if wait == "final" else 202)
            node.stop(signal.SIGKILL)
    with running_node(data_dir, genesis_file=genesis_file) as node:
        async with calling(node.url) as caller:
            level = (await caller.get(f"/message/{content_hash}")).data
        if wait == "admitted" and level["privacy"] == "public" and not level["is_erased"]:
            return  # admitted is no promise: the block never came to be
        await assert_hidden(node, content_hash, text, words)
        assert find(data_dir, words) == []
