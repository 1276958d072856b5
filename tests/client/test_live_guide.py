"""The example of the guide runs as it stands."""

import asyncio
import re
from pathlib import Path
from typing import Any

import pytest

from choir.client import Client, Wallet
from tests.support.chain import key
from tests.support.patience import PATIENCE_SECONDS

GUIDE = Path(__file__).parents[2] / "docs" / "guides" / "follow-live.md"


async def test_the_example_prints_what_happens(node_url: str, capsys: pytest.CaptureFixture[str]) -> None:
    (example,) = re.findall(r"```python\n(.*?)```", GUIDE.read_text("utf-8"), re.DOTALL)
    names: dict[str, Any] = {}
    exec(example, names)
    async with asyncio.timeout(PATIENCE_SECONDS), Client(node_url) as client:
        wallet = Wallet(key("guide"), client)
        thread_id = await wallet.create_thread()
        await wallet.post_message(thread_id, "# Herons")
        following = asyncio.create_task(names["follow"](node_url, thread_id))
        out = await _until(capsys, "Herons: 1 messages")
        await wallet.post_message(thread_id, "They wait.")
        out += await _until(capsys, "They wait.")
        following.cancel()
        await names["follow"](node_url, "0" * 32)
        out += capsys.readouterr().out
    assert out.startswith("connection: live")
    assert "no more of it: There is nothing here that you may see." in out


async def _until(capsys: pytest.CaptureFixture[str], wanted: str) -> str:
    out = ""
    while wanted not in out:
        await asyncio.sleep(0.02)
        out += capsys.readouterr().out
    return out
