"""The node is killed right after the receipt that hid or erased a message; what comes up again shows nothing of it."""

import asyncio
import signal
from pathlib import Path

from choir.ledger.transactions import CreateThread, Erase, SetPrivacy
from tests.privacy.test_at_rest import find, secret
from tests.support.chain import digest
from tests.support.node import Caller, Wallet, calling, prepare_data_dir, running_node
from tests.support.patience import PATIENCE_SECONDS

THREAD = digest("crash")[:32]


async def post(caller: Caller, ann: Wallet, text: str) -> str:
    """A public message that search finds."""
    message = ann.post(THREAD, text)
    assert (await ann.send(message, text)).status == 200
    async with asyncio.timeout(PATIENCE_SECONDS):
        while message.content_hash not in str((await caller.get("/search", q=text)).data["hits"]):  # noqa: ASYNC110
            await asyncio.sleep(0.02)
    return message.content_hash


async def test_killed_right_after_hiding(tmp_path: Path) -> None:
    texts, words = zip(*(secret(name) for name in ("hidden", "erased")), strict=True)
    data_dir = tmp_path / "node"
    genesis_file = str(prepare_data_dir(data_dir))
    with running_node(data_dir, genesis_file=genesis_file) as node:
        async with calling(node.url) as caller:
            ann = Wallet(caller, "ann")
            await ann.fund()
            assert (await ann.send(CreateThread(thread_id=THREAD, privacy="public"))).status == 200
            hidden, erased = [await post(caller, ann, text) for text in texts]
            assert (await ann.send(SetPrivacy(message_hash=hidden, level="thread"), wait="admitted")).status == 202
            assert (await ann.send(Erase(message_hash=erased))).status == 200
            node.stop(signal.SIGKILL)
    secrets = [word for found in words for word in found]
    with running_node(data_dir, genesis_file=genesis_file) as node:
        async with calling(node.url) as caller:
            # The very first answers: search may still be opening.
            for query in (*texts, *secrets):
                assert (await caller.get("/search", q=query)).data["hits"] == []
            for path in (f"/message/{hidden}", f"/message/{erased}", f"/message/{hidden}/proof", f"/thread/{THREAD}"):
                told = str((await caller.get(path)).body)
                assert not any(word in told for word in secrets)
        assert find(data_dir, secrets) == []
