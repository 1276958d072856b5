"""The file of measured epochs."""

import sqlite3
import stat
from pathlib import Path

import pytest
from msgspec.structs import replace

from choir.coherence.epoch import first_state
from choir.coherence.records import Checked, EpochRecord, ValidatorRecord
from choir.node import coherence_store
from choir.node.coherence_store import CoherenceStore
from choir.node.data_dir import DataDirError
from tests.coherence.cases import PARAMS

STATE = first_state(PARAMS)
RECORD = EpochRecord(
    number=3,
    started_at_ms=180_000,
    ended_at_ms=240_000,
    measured_at_ms=240_500,
    height=9,
    seed="5e" * 32,
    coherence_millionths=937_500,
    attunement_millionths=741_536,
    alpha_millionths=1_000_000,
    validators=(ValidatorRecord(address="a", agreement_millionths=937_500, psi_millionths=790_972),),
    checked=Checked(
        records=8,
        records_held=8,
        challenges=8,
        challenges_met=7,
        answers=64,
        answers_given=64,
        problems={"hash_differs": 1},
    ),
)


async def test_what_was_kept_is_there_after_opening_again(tmp_path: Path) -> None:
    path = tmp_path / "coherence.db"
    store = CoherenceStore(path)
    assert (await store.state(), await store.last_seq(), await store.page(2**62, 10)) == (None, None, [])
    await store.begin(4)
    await store.keep(RECORD, STATE, 17)
    store.close()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    store = CoherenceStore(path)
    assert (await store.state(), await store.last_seq()) == (STATE, 17)
    assert await store.page(2**62, 10) == [RECORD]
    store.close()


async def test_pages_are_newest_first_and_the_oldest_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(coherence_store, "EPOCHS_KEPT", 4)
    store = CoherenceStore(tmp_path / "coherence.db")
    for number in range(0, 20, 2):
        await store.keep(replace(RECORD, number=number), STATE, number)
    assert [record.number for record in await store.page(2**62, 10)] == [18, 16, 14, 12]
    assert [record.number for record in await store.page(16, 1)] == [14]
    await store.keep(replace(RECORD, number=18, height=99), STATE, 20)
    assert [record.height for record in await store.page(2**62, 10)] == [99, 9, 9, 9]
    store.close()


async def test_an_epoch_and_how_far_the_ledger_was_followed_are_kept_together(tmp_path: Path) -> None:
    store = CoherenceStore(tmp_path / "coherence.db")
    await store.begin(4)
    store._connection.execute("CREATE TRIGGER full BEFORE INSERT ON epoch BEGIN SELECT RAISE(ABORT, 'full'); END")
    with pytest.raises(sqlite3.IntegrityError):
        await store.keep(RECORD, STATE, 17)
    assert (await store.state(), await store.last_seq()) == (None, 4)
    store.close()


def test_a_file_that_is_no_database_is_told(tmp_path: Path) -> None:
    path = tmp_path / "coherence.db"
    path.write_bytes(b"not a database at all, but long enough to be read as a page" * 100)
    with pytest.raises(DataDirError, match=r"coherence\.db cannot be used"):
        CoherenceStore(path)
