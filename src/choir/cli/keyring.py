"""The keyring: Ed25519 keys under one password, in a file of standard form.

The file is a JSON Web Encryption in compact form (RFC 7516) of a JSON Web Key Set (RFC 7517; OKP keys of RFC 8037,
``kid`` is the name): PBES2-HS512+A256KW with 210,000 iterations, A256GCM. Any JOSE library reads it.
"""

import os
import re
import unicodedata
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import msgspec
from joserfc import jwe
from joserfc.errors import JoseError, SecurityWarning
from joserfc.jwk import OctKey
from joserfc.util import urlsafe_b64decode, urlsafe_b64encode
from msgspec import Struct

from choir.cli.errors import KeyringError
from choir.cli.files import exclusive_lock, make_private_directory, write_private_file
from choir.primitives.addresses import AddressError, decode_address
from choir.primitives.signatures import SigningKey

PROTECTED_HEADER: Final[dict[str, str | int]] = {
    "alg": "PBES2-HS512+A256KW",
    "enc": "A256GCM",
    # What OWASP's Password Storage Cheat Sheet asks of PBKDF2-HMAC-SHA512.
    "p2c": 210_000,
    "cty": "jwk-set+json",
}
LARGEST_FILE_BYTES: Final = 64 * 1024 * 1024
# NIST SP 800-63B, section 5.1.1.
SHORTEST_PASSWORD: Final = 8
_NAME = re.compile(r"[^\W_][\w.@:+' \-]{0,127}|@[\w.\-]{1,127}")

_registry = jwe.JWERegistry(algorithms=[str(PROTECTED_HEADER["alg"]), str(PROTECTED_HEADER["enc"])])
# The library's limit suits web tokens; thousands of keys need more.
_registry.max_ciphertext_length = LARGEST_FILE_BYTES


class Jwk(Struct, frozen=True, kw_only=True):
    """One key of the set. ``d`` is the secret seed."""

    kid: str
    x: str
    d: str
    kty: str = "OKP"
    crv: str = "Ed25519"

    def __repr__(self) -> str:
        return f"Jwk(kid={self.kid!r})"


class _JwkSet(Struct, frozen=True):
    keys: tuple[Jwk, ...]


class Keyring:
    """The opened keyring: names and keys in memory, kept in the order in which they were made."""

    def __init__(self, path: Path, keys: Mapping[str, Jwk]) -> None:
        self.path = path
        self._keys = dict(keys)

    def names(self) -> list[str]:
        return list(self._keys)

    def __contains__(self, name: str) -> bool:
        return name in self._keys

    def address(self, name: str) -> str:
        """The address of a key. Raises ``KeyringError`` when there is none of this name."""
        return self.key(name).address

    def key(self, name: str) -> SigningKey:
        """The key of this name. Raises ``KeyringError`` when there is none, or its halves do not belong together."""
        jwk = self._keys.get(name)
        if jwk is None:
            raise KeyringError(
                f"there is no key {name!r} in {self.path}: `choir key list` shows those there are, "
                f"`choir key new NAME` makes one"
            )
        try:
            key = SigningKey(urlsafe_b64decode(jwk.d.encode()))
            is_whole = key.public_key == urlsafe_b64decode(jwk.x.encode())
        except ValueError:
            is_whole = False
        if (jwk.kty, jwk.crv) != ("OKP", "Ed25519") or not is_whole:
            raise KeyringError(f"the key {name!r} in {self.path} is damaged: restore the file or import its seed again")
        return key

    def add(self, name: str, key: SigningKey) -> None:
        """Put a key in. Raises ``KeyringError`` when the name is taken or no name."""
        validate_name(name)
        if name in self._keys:
            raise KeyringError(f"there is a key {name!r} already: choose another name, or remove it first")
        self._keys[name] = Jwk(
            kid=name,
            x=urlsafe_b64encode(key.public_key).decode(),
            d=urlsafe_b64encode(key.seed).decode(),
        )

    def remove(self, name: str) -> None:
        self.key(name)
        del self._keys[name]

    def encode(self) -> bytes:
        """The JSON Web Key Set, with its secrets."""
        return msgspec.json.encode(_JwkSet(tuple(self._keys.values())))


def open_keyring(path: Path, password: str) -> Keyring:
    """Read and decrypt. Raises ``KeyringError``: no such file, wrong password, damaged file."""
    return Keyring(path, _decrypt(path, password))


@contextmanager
def edit_keyring(path: Path, ask_password: Callable[[bool], str]) -> Iterator[Keyring]:
    """Open for change and write at the end, atomically; other writers wait. A file that is not there is made.
    ``ask_password`` is told whether the password is a new one. Nothing is written when the block raises."""
    make_private_directory(path.parent)
    with exclusive_lock(path):
        is_new = not path.exists()
        password = ask_password(is_new)
        if is_new and len(password) < SHORTEST_PASSWORD:
            raise KeyringError(f"the password is too short: take at least {SHORTEST_PASSWORD} characters")
        keyring = Keyring(path, {} if is_new else _decrypt(path, password))
        before = keyring.encode()
        yield keyring
        if is_new or keyring.encode() != before:
            token = jwe.encrypt_compact(PROTECTED_HEADER, keyring.encode(), _password_key(password), registry=_registry)
            write_private_file(path, token.encode() + b"\n")


def validate_name(name: str) -> None:
    """A name is what a person can type, and never looks like an address. Raises ``KeyringError``."""
    if not _NAME.fullmatch(name) or name != name.strip():
        raise KeyringError(f"{name!r} is not a name for a key: use letters, digits, spaces and . @ : + - _ '")
    if is_address(name):
        raise KeyringError(f"{name!r} looks like an address: choose another name")


def is_address(text: str) -> bool:
    """Whether the text is the base58 form of a key."""
    try:
        decode_address(text)
    except AddressError:
        return False
    return True


def _password_key(password: str) -> OctKey:
    if not password:
        raise KeyringError("the password is empty: give one")
    try:
        # NFC, so that the same password typed on another system is the same bytes.
        raw = unicodedata.normalize("NFC", password).encode("utf-8")
        with warnings.catch_warnings():
            # The library warns of short keys; this is a password, which is stretched.
            warnings.simplefilter("ignore", SecurityWarning)
            return OctKey.import_key(raw)
    except ValueError as error:
        raise KeyringError("the password is not valid text, or is itself a key: choose another") from error


def _decrypt(path: Path, password: str) -> dict[str, Jwk]:
    raw = _read(path)
    damaged = f"{path} is damaged or no keyring: restore it from a backup, or move it away and start a new one"
    try:
        plaintext = jwe.decrypt_compact(raw, _password_key(password), registry=_registry).plaintext
        keys = msgspec.json.decode(plaintext or b"", type=_JwkSet).keys
    except (JoseError, ValueError) as error:
        if _is_keyring(raw):
            raise KeyringError(
                f"the password does not open {path}: try again; if you are sure of it, restore the file from a backup"
            ) from error
        raise KeyringError(damaged) from error
    by_name = {jwk.kid: jwk for jwk in keys}
    if len(by_name) != len(keys):
        raise KeyringError(damaged)
    return by_name


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            raw = file.read(LARGEST_FILE_BYTES + 1)
    except FileNotFoundError:
        raise KeyringError(f"there is no keyring at {path}: make a key with `choir key new NAME`") from None
    except OSError as error:
        raise KeyringError(f"cannot read {path}: {os.strerror(error.errno or 0)}") from error
    if len(raw) > LARGEST_FILE_BYTES:
        raise KeyringError(f"{path} is too large for a keyring: look at --keyring")
    return raw.strip()


def _is_keyring(raw: bytes) -> bool:
    """Whether the outer form is sound, so that the password is the likeliest reason."""
    parts = raw.split(b".")
    try:
        header = msgspec.json.decode(urlsafe_b64decode(parts[0]))
    except (ValueError, msgspec.DecodeError):
        return False
    return len(parts) == 5 and all(parts) and isinstance(header, dict) and header.get("alg") == PROTECTED_HEADER["alg"]
