"""`choir key` as a person types it."""

import io
import sys
from pathlib import Path

import pytest

from choir.primitives.signatures import SigningKey
from tests.cli.conftest import Choir


def test_make_list_show_remove(choir: Choir, keyring_path: Path) -> None:
    made = choir("key", "new", "alice", "--json").document
    assert choir("key", "list", "--json").document == {"keys": [made]}
    assert made["address"] in choir("key", "list").out
    assert choir("key", "show", "alice").out.strip() == made["address"]
    assert choir("key", "remove", "alice").code == 0
    assert choir("key", "show", "alice").code == 4
    assert keyring_path.exists()


def test_a_seed_carries_a_key_to_another_keyring(choir: Choir, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    address = choir("key", "new", "alice", "--json").document["address"]
    seed = choir("key", "export", "alice").out
    assert SigningKey(bytes.fromhex(seed.strip())).address == address
    monkeypatch.setattr(sys, "stdin", io.StringIO(seed))
    other = ("--keyring", str(tmp_path / "other.jwe"))
    assert choir("key", "import", "again", *other, "--json").document == {"name": "again", "address": address}


ZEROS = "abandon " * 23 + "art"


@pytest.mark.parametrize("typed", [ZEROS, "\n".join(f"{i}. {word.upper()}" for i, word in enumerate(ZEROS.split(), 1))])
def test_the_words_of_a_browser_or_wallet_give_the_same_address(
    choir: Choir, monkeypatch: pytest.MonkeyPatch, typed: str
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(typed))
    # What wallets give at m/44'/501'/0'/0'; the web app's tests hold the same pair.
    address = "3Cy3YNTFywCmxoxt8n7UH6hg6dLo5uACowX3CFceaSnx"
    assert choir("key", "import", "alice", "--json").document == {"name": "alice", "address": address}


@pytest.mark.parametrize(
    ("typed", "why"),
    [
        ("abandon " * 23, "these are 23"),
        (ZEROS.replace("art", "zoo"), "do not fit together"),
        (ZEROS.replace("art", "xyzzy"), "'xyzzy' is not a word"),
    ],
)
def test_words_that_are_no_phrase_are_refused(
    choir: Choir, monkeypatch: pytest.MonkeyPatch, typed: str, why: str
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(typed))
    ran = choir("key", "import", "alice")
    assert ran.code == 2
    assert why in ran.err
    assert "abandon" not in ran.err


@pytest.mark.parametrize("typed", ["", "hello", "ab" * 31, "zz" * 32])
def test_what_is_no_seed_is_refused(choir: Choir, monkeypatch: pytest.MonkeyPatch, typed: str) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(typed))
    ran = choir("key", "import", "alice")
    assert ran.code == 2
    assert "64 hex digits" in ran.err
    assert typed not in ran.err or not typed


def test_the_password_comes_from_a_file_or_a_prompt(
    choir: Choir, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "password"
    file.write_text("from the file\nsecond line\n")
    assert choir("key", "new", "alice", "--password-file", str(file)).code == 0
    assert choir("key", "list").code == 4
    monkeypatch.setenv("CHOIR_KEYRING_PASSWORD", "from the file")
    assert choir("key", "list").code == 0
    monkeypatch.delenv("CHOIR_KEYRING_PASSWORD")
    ran = choir("key", "list")
    assert ran.code == 4
    assert "CHOIR_KEYRING_PASSWORD" in ran.err


def test_a_new_keyring_asks_twice(choir: Choir, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CHOIR_KEYRING_PASSWORD")
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True, raising=False)
    typed = iter(["one password", "another password", "one password", "one password", "one password"])
    prompts: list[str] = []

    def type_next(prompt: str) -> str:
        prompts.append(prompt)
        return next(typed)

    monkeypatch.setattr("getpass.getpass", type_next)
    assert "differ" in choir("key", "new", "alice").err
    assert choir("key", "new", "alice").code == 0
    assert choir("key", "list").code == 0
    assert len(prompts) == 5


def test_the_keyring_is_where_the_options_say(choir: Choir, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHOIR_KEYRING", str(tmp_path / "by-variable.jwe"))
    choir("key", "new", "alice")
    choir("key", "new", "bob", "--keyring", str(tmp_path / "by-option.jwe"))
    assert (tmp_path / "by-variable.jwe").exists()
    assert [key["name"] for key in choir("key", "list", "--json").document["keys"]] == ["alice"]
    assert (tmp_path / "by-option.jwe").exists()
