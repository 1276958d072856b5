"""The scripted provider, in a process of its own."""

import asyncio
import json
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.patience import PATIENCE_SECONDS

ROOT = Path(__file__).parents[2]


class ScriptedProvider:
    """Tells the server what to play, and reads what it has seen."""

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"

    @property
    def choice(self) -> str:
        return f"{self.url}/v1#scripted"

    def play(self, **behaviours: list[dict[str, Any]]) -> None:
        """Behaviours per step; ``any_step`` for whichever step asks. Forgets what was seen."""
        named = {"*" if step == "any_step" else step.rstrip("_"): list(plays) for step, plays in behaviours.items()}
        self._call("/script", json.dumps(named).encode())

    def seen(self) -> list[dict[str, Any]]:
        return list(json.loads(self._call("/seen")))

    async def until_given_up(self, count: int = 1) -> None:
        """Wait until the server saw so many clients leave before the answer's end."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while sum(request["given_up"] for request in await asyncio.to_thread(self.seen)) < count:  # noqa: ASYNC110
                await asyncio.sleep(0.02)

    def _call(self, path: str, body: bytes | None = None) -> bytes:
        with urllib.request.urlopen(self.url + path, body, timeout=PATIENCE_SECONDS) as response:
            return bytes(response.read())


@pytest.fixture(scope="session")
def scripted_process() -> Iterator[int]:
    command = [sys.executable, "-m", "tests.chorus.openai_server"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield int(process.stdout.readline())
        process.terminate()


@pytest.fixture
def provider(scripted_process: int) -> ScriptedProvider:
    scripted = ScriptedProvider(scripted_process)
    scripted.play()
    return scripted
