"""Equal blocks give equal results in every process, whatever Python's hash seed."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.ledger.replay_blocks import Recording, digest_of, record
from tests.support.patience import PATIENCE_SECONDS

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Recording]:
    path = tmp_path_factory.mktemp("blocks") / "blocks.json"
    blocks = record()
    path.write_text(json.dumps(blocks))
    return path, blocks


def test_the_recording_is_worth_replaying(recording: tuple[Path, Recording]) -> None:
    """It has accepted and refused transactions, settlements, expiries and both rewards."""
    names = set(digest_of(recording[1])["names"])
    wanted = {"Ok", "NotCoAuthor", "MalformedJson", "SpecSettled", "NewMessageRewarded", "PriorRewarded", "EpochClosed"}
    assert wanted <= names


@pytest.mark.parametrize("hash_seed", ["0", "1", "random"])
def test_same_results_under_another_hash_seed(recording: tuple[Path, Recording], hash_seed: str) -> None:
    path, blocks = recording
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
    found = subprocess.run(
        [sys.executable, "-m", "tests.ledger.replay_blocks", str(path)],
        cwd=ROOT,
        env=environment,
        check=True,
        capture_output=True,
        timeout=PATIENCE_SECONDS,
    )
    assert json.loads(found.stdout) == digest_of(blocks)
