"""The file of kept runs: private, sealed, bounded, and really rid of what was deleted."""

import asyncio
import sqlite3
import stat
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import pytest

from choir.chorus import store as store_module
from choir.chorus.events import AnyRunEvent, RunCancelled, RunFailed, RunFinished, StepFinished, Token
from choir.chorus.steps import Step
from choir.chorus.store import ChorusStore, KeptRun
from choir.chorus.veil import WITHHELD
from tests.chorus.events import SECRET, make_run

HASH, OTHER = "11" * 32, "22" * 32
ALICE, BOB = "alice", "bob"


class PlainSealer:
    """Seals nothing but the label, so that a test can look for words in the file."""

    def seal(self, label: str, plaintext: bytes, /) -> bytes:
        return label.encode() + b"\0" + plaintext

    def open(self, label: str, sealed: bytes, /) -> bytes:
        found, _, plaintext = sealed.partition(b"\0")
        assert found == label.encode()
        return plaintext


@asynccontextmanager
async def open_store(directory: Path) -> AsyncIterator[ChorusStore]:
    store = await asyncio.to_thread(ChorusStore, directory / "chorus.db", PlainSealer())
    try:
        yield store
    finally:
        store.close()


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[ChorusStore]:
    async with open_store(tmp_path) as opened:
        yield opened


async def keep(
    store: ChorusStore, events: list[AnyRunEvent], *, owner: str = ALICE, context: tuple[str, ...] = ()
) -> KeptRun:
    run = await store.create(owner=owner, prompt="why?", thread_id=None, context=context, created_at_ms=5)
    for event in events:
        await store.append(run, event)
    return run


def on_disk(directory: Path) -> bytes:
    """Everything that the files of the store hold, in use or not."""
    return b"".join(path.read_bytes() for path in sorted(directory.glob("chorus.db*")))


def modes_of(directory: Path) -> set[int]:
    return {stat.S_IMODE(path.stat().st_mode) for path in directory.glob("chorus.db*")}


async def test_a_run_is_kept_without_tokens_and_texts(store: ChorusStore, tmp_path: Path) -> None:
    run = await keep(store, make_run(HASH))
    found = await store.get(run.run_id, ALICE)
    assert found is not None
    assert (found.run.status, found.run.prompt, found.run.created_at_ms) == ("finished", "why?", 5)
    assert [event.number for event in found.events] == [1, 2, 4, 5, 7, 8]
    assert not any(isinstance(event, Token) for event in found.events)
    assert list(found.spans) == [HASH]
    assert SECRET in str(found.events[-1])
    assert b"title of" not in on_disk(tmp_path), "the texts of messages stay in the memory"


async def test_the_file_is_for_its_owner_only(store: ChorusStore, tmp_path: Path) -> None:
    await keep(store, make_run(HASH))
    assert modes_of(tmp_path) == {0o600}


async def test_only_the_owner_gets_a_run(store: ChorusStore) -> None:
    run = await keep(store, make_run(HASH))
    assert await store.get(run.run_id, BOB) is None
    assert await store.get("00" * 16, ALICE) is None
    assert await store.page(BOB, 2**62, 10) == []
    assert not await store.delete(run.run_id, BOB)
    assert await store.get(run.run_id, ALICE) is not None


async def test_pages_are_newest_first(store: ChorusStore) -> None:
    runs = [await keep(store, make_run(HASH)) for _ in range(5)]
    first = await store.page(ALICE, 2**62, 2)
    second = await store.page(ALICE, first[-1].seq, 10)
    assert [run.run_id for run in (*first, *second)] == [run.run_id for run in runs[::-1]]


@pytest.mark.parametrize(
    ("ending", "status"),
    [
        (RunCancelled(number=9, at_ms=9), "cancelled"),
        (RunFailed(number=9, at_ms=9, step=None, error="ModelTimeout", message="late"), "failed"),
    ],
    ids=["cancelled", "failed"],
)
async def test_an_ending_is_the_status(store: ChorusStore, ending: RunCancelled | RunFailed, status: str) -> None:
    run = await keep(store, [*make_run(HASH)[:4], ending])
    (listed,) = await store.page(ALICE, 2**62, 10)
    assert (listed.run_id, listed.status) == (run.run_id, status)


async def test_deleting_leaves_nothing_in_file_or_log(store: ChorusStore, tmp_path: Path) -> None:
    gone = await keep(store, make_run(HASH))
    stays = await keep(store, make_run(OTHER, "something else entirely"))
    assert SECRET.encode() in on_disk(tmp_path)
    assert await store.delete(gone.run_id, ALICE)
    assert SECRET.encode() not in on_disk(tmp_path)
    assert gone.run_id.encode() not in on_disk(tmp_path)
    assert await store.get(stays.run_id, ALICE) is not None


async def test_erasing_a_message_takes_its_words_out_of_every_run(store: ChorusStore, tmp_path: Path) -> None:
    touched = await keep(store, make_run(HASH))
    of_another = await keep(store, make_run(HASH), owner=BOB)
    as_context = await keep(store, make_run(OTHER, SECRET), context=(HASH,))
    untouched = await keep(store, make_run(OTHER, "something else entirely"))
    await store.erase([HASH])
    assert SECRET.encode() not in on_disk(tmp_path)
    for run, owner in ((touched, ALICE), (of_another, BOB), (as_context, ALICE)):
        found = await store.get(run.run_id, owner)
        assert found is not None
        assert isinstance(found.events[-1], RunFinished)
        assert found.events[-1].answer == WITHHELD
    found = await store.get(untouched.run_id, ALICE)
    assert found is not None
    assert "something else" in str(found.events[-1])


async def test_what_is_written_after_the_erasure_is_taken_away_too(store: ChorusStore, tmp_path: Path) -> None:
    events = make_run(HASH)
    run = await keep(store, events[:5])
    await store.erase([HASH])
    for event in events[5:]:
        await store.append(run, event)
    assert SECRET.encode() not in on_disk(tmp_path)


async def test_a_message_erased_just_before_it_was_noted_counts_as_erased(store: ChorusStore, tmp_path: Path) -> None:
    await store.erase([HASH])
    await keep(store, make_run(HASH))
    assert SECRET.encode() not in on_disk(tmp_path)


async def test_old_runs_make_room_for_new_ones(store: ChorusStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store_module, "RUNS_PER_OWNER", 3)
    runs = [await keep(store, make_run(HASH)) for _ in range(6)]
    of_bob = await keep(store, make_run(HASH), owner=BOB)
    kept = await store.page(ALICE, 2**62, 10)
    assert {run.run_id for run in runs[-3:]} <= {run.run_id for run in kept}
    assert len(kept) == 4, "three that have ended, and the newest, which had not when it began"
    monkeypatch.setattr(store_module, "RUNS_PER_NODE", 1)
    running = await keep(store, make_run(HASH)[:3])
    assert [run.run_id for run in await store.page(ALICE, 2**62, 10)] == [running.run_id]
    assert [run.run_id for run in await store.page(BOB, 2**62, 10)] == [of_bob.run_id]


async def test_what_a_crash_cut_short_is_found_and_ended_after_all_that_was_seen(tmp_path: Path) -> None:
    async with open_store(tmp_path) as store:
        run = await keep(store, make_run(HASH)[:5])
        await store.append(run, Token(number=2500, at_ms=70, step=Step.YIELD, text="seen, not kept"))
        await keep(store, make_run(HASH))
    async with open_store(tmp_path) as store:
        ((interrupted, kept),) = await store.interrupted()
        assert (kept.run_id, kept.status) == (run.run_id, "running")
        assert interrupted.next_number > 2500
        ending = RunFailed(number=interrupted.next_number, at_ms=3, step=None, error="NodeStopped", message="stopped")
        await store.append(kept, ending)
        assert await store.interrupted() == []
        found = await store.get(run.run_id, ALICE)
        assert found is not None
        assert found.events[-1] == ending
        assert found.run.status == "failed"


async def test_an_event_of_a_deleted_run_is_not_kept(store: ChorusStore, tmp_path: Path) -> None:
    events = make_run(HASH)
    run = await keep(store, events[:5])
    assert await store.delete(run.run_id, ALICE)
    for event in events[5:]:
        await store.append(run, event)
    assert SECRET.encode() not in on_disk(tmp_path)
    connection = sqlite3.connect(tmp_path / "chorus.db")
    assert connection.execute("SELECT count(*) FROM event").fetchone() == (0,)
    connection.close()


async def test_events_come_back_as_they_were(store: ChorusStore) -> None:
    events = make_run(HASH)
    run = await keep(store, events)
    found = await store.get(run.run_id, ALICE)
    assert found is not None
    kept = [event for event in found.events if isinstance(event, StepFinished | RunFinished)]
    assert kept == [event for event in events if isinstance(event, StepFinished | RunFinished)]
    assert SECRET not in repr(found.run)
    assert msgspec.json.encode(kept)
