"""Help is fast because it imports almost nothing; what stands on the command line is what it looks like."""

import subprocess
import sys

import pytest

from choir.cli.context import read_text
from choir.cli.errors import UsageError
from choir.cli.main import global_options_first
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


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        (["thread", "create", "--as", "ann", "--json"], ["--json", "thread", "create", "--as", "ann"]),
        (["key", "list"], ["key", "list"]),
        (["message", "post", "T", "--", "--json"], ["message", "post", "T", "--", "--json"]),
        (["message", "post", "T", "--node", "http://n", "- a"], ["--node", "http://n", "message", "post", "T", "- a"]),
        (["message", "post", "T", "--keyring=k.jwe"], ["--keyring=k.jwe", "message", "post", "T"]),
        (["key", "list", "--password-file", "p", "--json"], ["--password-file", "p", "--json", "key", "list"]),
        (["message", "post", "T", "--node"], ["message", "post", "T", "--node"]),
        (["key", "list", "--keyring", "--json"], ["--json", "key", "list", "--keyring"]),
        (["message", "post", "T", "--", "--node", "n"], ["message", "post", "T", "--", "--node", "n"]),
    ],
)
def test_global_options_may_stand_where_a_text_could(typed: list[str], read: list[str]) -> None:
    assert global_options_first(typed) == read


@pytest.mark.parametrize("text", ["--json", "--title", "--as=ann"])
def test_an_option_that_does_not_exist_is_not_published_as_a_text(text: str) -> None:
    with pytest.raises(UsageError, match="there is no option"):
        read_text(text)


@pytest.mark.parametrize("text", ["- a list", "---", "--- a rule", "-- so it is", "a --flag"])
def test_a_text_may_begin_with_a_hyphen(text: str) -> None:
    assert read_text(text) == text
