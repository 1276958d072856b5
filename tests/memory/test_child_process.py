"""A process of our own beside the node: started without holding the event loop, gone without a trace."""

import asyncio
import subprocess
import sys
import time
from pathlib import Path

import pytest

from choir.memory.child_line import ChildDied
from choir.memory.child_process import ChildProcess

INDEX = "choir.memory.indexes.edge_main"


async def test_a_process_that_cannot_be_started_is_one_that_died(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/does/not/exist")
    with pytest.raises(ChildDied, match="No such file"):
        await ChildProcess.start(INDEX, [])


async def test_a_process_that_ends_at_once_is_one_that_died() -> None:
    with pytest.raises(ChildDied):
        await ChildProcess.start("choir.memory.no_such_module", [])


async def test_a_process_is_started_without_a_copy_of_the_nodes_page_tables(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """By vfork, as `subprocess` does where nothing is to run between fork and exec."""
    assert subprocess._USE_VFORK  # type: ignore[attr-defined]
    given: list[dict[str, object]] = []
    popen = subprocess.Popen

    def noted(command: list[str], **options: object) -> "subprocess.Popen[bytes]":
        given.append(options)
        return popen(command, **options)  # type: ignore[call-overload, no-any-return]

    monkeypatch.setattr(subprocess, "Popen", noted)
    child, _ = await ChildProcess.start(INDEX, [str(tmp_path / "index"), "8"])
    await child.stop()
    assert [sorted(options) for options in given] == [["pass_fds", "stdin"]]


async def test_a_process_that_is_killed_leaves_no_zombie(tmp_path: Path) -> None:
    child, _ = await ChildProcess.start(INDEX, [str(tmp_path / "index"), "8"])
    told = asyncio.Event()
    child.on_death = told.set
    child.kill()
    await told.wait()
    async with asyncio.timeout(30):
        await asyncio.to_thread(_wait_until_gone, Path("/proc", str(child.pid)))
    await child.stop()


def _wait_until_gone(process: Path) -> None:
    while process.exists():
        time.sleep(0.01)
