"""The keyring file: its form, its safety, and what each kind of damage says."""

import base64
import json
import multiprocessing
import random
import stat
from pathlib import Path

import pytest
from joserfc import jwe
from joserfc.jwk import OctKey, OKPKey

from choir.cli.errors import KeyringError
from choir.cli.keyring import Keyring, edit_keyring, is_address, open_keyring, validate_name
from choir.primitives.signatures import SigningKey
from tests.support.patience import PATIENCE_SECONDS

PASSWORD = "correct horse battery"


def add(path: Path, *names: str, password: str = PASSWORD) -> dict[str, SigningKey]:
    keys = {name: SigningKey.generate() for name in names}
    with edit_keyring(path, lambda _: password) as keyring:
        for name, key in keys.items():
            keyring.add(name, key)
    return keys


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "choir" / "keyring.jwe"


def test_keys_come_back_as_they_were(path: Path) -> None:
    keys = add(path, "alice", "Bob Müller", "@handle", "mail:a.b+c@example.org")
    keyring = open_keyring(path, PASSWORD)
    assert keyring.names() == list(keys)
    for name, key in keys.items():
        assert keyring.key(name).seed == key.seed
        assert keyring.address(name) == key.address


def test_only_the_owner_may_read_it(path: Path) -> None:
    add(path, "alice")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert {found.name for found in path.parent.iterdir()} == {"keyring.jwe", "keyring.jwe.lock"}


def test_any_jose_library_reads_it(path: Path) -> None:
    key = add(path, "alice")["alice"]
    token = path.read_bytes().strip()
    header = json.loads(base64.urlsafe_b64decode(token.split(b".")[0] + b"=="))
    assert (header["alg"], header["enc"], header["p2c"]) == ("PBES2-HS512+A256KW", "A256GCM", 210_000)
    registry = jwe.JWERegistry(algorithms=["PBES2-HS512+A256KW", "A256GCM"])
    plaintext = jwe.decrypt_compact(token, OctKey.import_key(PASSWORD), registry=registry).plaintext
    assert plaintext is not None
    (jwk,) = json.loads(plaintext)["keys"]
    assert jwk["kid"] == "alice"
    assert OKPKey.import_key(jwk).is_private
    assert base64.urlsafe_b64decode(jwk["d"] + "=") == key.seed


def test_nothing_secret_is_in_the_file_or_in_a_representation(path: Path) -> None:
    key = add(path, "alice")["alice"]
    secret = base64.urlsafe_b64encode(key.seed).rstrip(b"=")
    assert secret not in path.read_bytes()
    keyring = open_keyring(path, PASSWORD)
    for value in (keyring, keyring.key("alice"), *keyring._keys.values()):
        assert secret.decode() not in repr(value)
        assert key.seed.hex() not in repr(value)


def test_a_wrong_password_says_so(path: Path) -> None:
    add(path, "alice")
    with pytest.raises(KeyringError, match="password does not open"):
        open_keyring(path, "another password")
    before = path.read_bytes()
    with pytest.raises(KeyringError, match="password does not open"):
        add(path, "bob", password="another password")
    assert path.read_bytes() == before


def test_a_changed_byte_never_opens(path: Path) -> None:
    add(path, "alice")
    whole = path.read_bytes()
    seed = 20260101
    print("seed", seed)
    for position in random.Random(seed).sample(range(len(whole) - 1), 12):
        changed = bytearray(whole)
        # Another letter of the base64url alphabet that differs in a bit that counts.
        changed[position] = ord("A") if chr(changed[position]) in "ghijklmnop" else ord("g")
        path.write_bytes(changed)
        with pytest.raises(KeyringError, match=r"does not open|damaged"):
            open_keyring(path, PASSWORD)


@pytest.mark.parametrize("content", [b"", b"hello", b"a.b.c.d.e", b"{}", b"\xff\xfe", b"." * 4])
def test_what_is_no_keyring_says_so(path: Path, content: bytes) -> None:
    path.parent.mkdir()
    path.write_bytes(content)
    with pytest.raises(KeyringError, match="damaged or no keyring"):
        open_keyring(path, PASSWORD)


def test_a_missing_file_and_a_missing_key_say_what_to_do(path: Path) -> None:
    with pytest.raises(KeyringError, match="choir key new"):
        open_keyring(path, PASSWORD)
    add(path, "alice")
    with pytest.raises(KeyringError, match="choir key list"):
        open_keyring(path, PASSWORD).key("carol")


@pytest.mark.parametrize("password", ["", "short"])
def test_a_new_password_has_a_least_length(path: Path, password: str) -> None:
    with pytest.raises(KeyringError, match="password is"):
        add(path, "alice", password=password)
    assert not path.exists()


def test_the_same_password_in_another_normal_form_opens(path: Path) -> None:
    add(path, "alice", password="re\u0301sume\u0301 e\u0301")
    assert open_keyring(path, "r\u00e9sum\u00e9 \u00e9").names() == ["alice"]


def test_a_taken_name_and_an_error_change_nothing(path: Path) -> None:
    add(path, "alice")
    before = path.read_bytes()
    with pytest.raises(KeyringError, match="already"):
        add(path, "bob", "alice")
    assert path.read_bytes() == before


def test_halves_that_do_not_belong_together_are_found(path: Path) -> None:
    add(path, "alice", "bob")
    keyring = open_keyring(path, PASSWORD)
    import msgspec

    alice, bob = keyring._keys["alice"], keyring._keys["bob"]
    mixed = Keyring(path, {"alice": msgspec.structs.replace(alice, x=bob.x)})
    with pytest.raises(KeyringError, match="damaged"):
        mixed.key("alice")


@pytest.mark.parametrize("name", ["", " a", "a ", "-a", "a\n", "a/b", "x" * 129, "a\x1b[0m", "a<b>"])
def test_odd_names_are_refused(name: str) -> None:
    with pytest.raises(KeyringError, match="not a name"):
        validate_name(name)


def test_an_address_is_no_name() -> None:
    address = SigningKey.generate().address
    assert is_address(address)
    assert not is_address("alice")
    with pytest.raises(KeyringError, match="looks like an address"):
        validate_name(address)


def test_thousands_of_keys_open_with_one_derivation(path: Path) -> None:
    names = [f"@author{number}" for number in range(2000)]
    add(path, *names)
    keyring = open_keyring(path, PASSWORD)
    assert keyring.names() == names
    assert keyring.address(names[-1])


def _add_one(path: Path, name: str) -> None:
    add(path, name)


def test_writers_at_the_same_time_lose_nothing(path: Path) -> None:
    add(path, "first")
    context = multiprocessing.get_context("spawn")
    writers = [context.Process(target=_add_one, args=(path, f"key {number}")) for number in range(4)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(timeout=PATIENCE_SECONDS)
    assert [writer.exitcode for writer in writers] == [0] * 4
    assert set(open_keyring(path, PASSWORD).names()) == {"first", *(f"key {number}" for number in range(4))}


def test_a_symbolic_link_stays_one(path: Path, tmp_path: Path) -> None:
    real = tmp_path / "elsewhere.jwe"
    add(path, "alice")
    path.rename(real)
    path.symlink_to(real)
    add(path, "bob")
    assert path.is_symlink()
    assert open_keyring(real, PASSWORD).names() == ["alice", "bob"]
