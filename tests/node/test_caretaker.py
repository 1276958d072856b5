"""The caretaker outlives a file that cannot be written for a while."""

import asyncio
import sqlite3
from pathlib import Path

import pytest
import structlog.testing

from choir.memory.records import RecordStore
from choir.node import node as node_module
from choir.node.node import Node
from choir.node.settings import Settings
from tests.support.patience import PATIENCE_SECONDS


async def test_a_failed_sweep_is_told_and_tried_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sweeps = 0
    swept = asyncio.Event()

    async def fail_once(_records: RecordStore, _received_before_ms: int) -> int:
        nonlocal sweeps
        sweeps += 1
        if sweeps == 1:
            raise sqlite3.OperationalError("database or disk is full")
        swept.set()
        return 0

    monkeypatch.setattr(RecordStore, "sweep", fail_once)
    monkeypatch.setattr(node_module, "_TIDY_SECONDS", 0.01)
    node = Node(Settings(data_dir=str(tmp_path / "node"), vector_index="exact"))
    with structlog.testing.capture_logs() as told:
        await node.start()
        async with asyncio.timeout(PATIENCE_SECONDS):
            await swept.wait()
        await node.close()
    assert "old content could not be swept; it is tried again" in {entry["event"] for entry in told}
