"""Blocks that the ledger itself asks for while the file cannot be written: tried at leisure, and done in the end."""

import asyncio
import sqlite3
import time
from pathlib import Path

import pytest
import structlog.testing

from choir.engine.embedded.engine import EmbeddedEngine
from choir.engine.embedded.store import Store, StoredBlock
from choir.ledger.entities import SPECS
from choir.ledger.transactions import CreateThread, SubmitSpec
from tests.support.chain import GENESIS_TIME_MS, NODE, digest, key, make_genesis, sign

ALICE, BOB = key("alice"), key("bob")
STAKE = "100000000"
WEEK_MS = 7 * 24 * 3_600_000


async def test_a_due_block_that_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now_ms = GENESIS_TIME_MS + 1
    engine = EmbeddedEngine(tmp_path, NODE, make_genesis(["alice", "bob"]), clock_ms=lambda: now_ms)
    await engine.start()
    thread_id, spec_id = digest("thread")[:32], digest("spec")
    spec = SubmitSpec(thread_id=thread_id, content_hash=spec_id, stake=STAKE, priors=())
    await (await engine.submit(sign(ALICE, CreateThread(thread_id=thread_id, privacy="public"), 0))).receipt
    await (await engine.submit(sign(BOB, spec, 0))).receipt

    attempts = 0
    tried = asyncio.Semaphore(0)
    loop = asyncio.get_running_loop()
    write = Store.commit_block

    def fail(store: Store, block: StoredBlock) -> None:
        nonlocal attempts
        attempts += 1
        loop.call_soon_threadsafe(tried.release)
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr(Store, "commit_block", fail)
    with structlog.testing.capture_logs() as told:
        started = time.monotonic()
        now_ms += WEEK_MS + 1
        for _ in range(3):
            await tried.acquire()
        # Never more often than every half a second, however fast the machine.
        assert attempts <= (time.monotonic() - started) / 0.4 + 1
        await asyncio.sleep(0)
    assert {entry["event"] for entry in told} == {"a block could not be made"}
    assert engine.failure is None

    monkeypatch.setattr(Store, "commit_block", write)
    async for batch in engine.events(0):
        if any(event.fields["type"] == "spec_settled" for event in batch):
            break
    with engine.read() as state:
        assert state.get(SPECS, spec_id) is None
    await engine.close()
