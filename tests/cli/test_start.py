"""Help is fast because it imports almost nothing."""

import subprocess
import sys

import pytest

from tests.support.patience import PATIENCE_SECONDS

HEAVY = ("aiohttp", "cryptography", "joserfc", "litestar", "msgspec", "nacl", "numpy", "uvicorn", "yaml")
SCRIPT = """
import sys
from choir.cli.main import run
assert run(sys.argv[1:]) == 0
print("LOADED", *sys.modules)
"""


@pytest.mark.parametrize(
    "arguments", [["--help"], ["key", "--help"], ["thread", "create", "--help"], ["import", "--help"]], ids=" ".join
)
def test_help_loads_no_heavy_library(arguments: list[str]) -> None:
    ran = subprocess.run(
        [sys.executable, "-c", SCRIPT, *arguments], capture_output=True, text=True, check=True, timeout=PATIENCE_SECONDS
    )
    loaded = set(ran.stdout.rpartition("LOADED")[2].split())
    assert "cyclopts" in loaded
    assert loaded.isdisjoint(HEAVY), loaded & set(HEAVY)
