"""Content of level ``thread``, sealed at rest: design/memory.md, "Privacy" and "Replication".

A thread has one random 32-byte content key. Content is sealed with XChaCha20-Poly1305 under that key, with
its content hash as associated data, so that no ciphertext can stand in for another. The key itself is
wrapped, in a libsodium sealed box, to the X25519 form of the Ed25519 key of every co-author and of every
node that serves the thread. What is sealed is the salt *and* the text (``pack_content``): with the salt in
clear, a short text could be guessed from its hash, which is public.

When a co-author joins, the existing key is wrapped to the newcomer: they read what was written before them,
as co-authors do, and nothing is sealed anew. Nobody ever stops being a co-author, so a key is never rotated.
This means no forward secrecy: who gets hold of a co-author's or serving node's private key, at any time, can
open all of the thread's content. What sealing protects is a stolen disk, backup or replica without such a
key. The length of the text shows. Integrity rests on the content hash: compare it after opening.
"""

import sqlite3
from collections.abc import Iterable
from typing import Final

import msgspec
import nacl.bindings as sodium
import nacl.utils
from nacl.exceptions import CryptoError

from choir.primitives.addresses import AddressError, decode_address
from choir.primitives.hashing import sha256_bytes
from choir.primitives.signatures import SigningKey

KEY_BYTES: Final = sodium.crypto_aead_xchacha20poly1305_ietf_KEYBYTES
_NONCE_BYTES: Final = sodium.crypto_aead_xchacha20poly1305_ietf_NPUBBYTES
_TAG_BYTES: Final = sodium.crypto_aead_xchacha20poly1305_ietf_ABYTES
_FINGERPRINT_BYTES: Final = 8
_VERSION: Final = b"\x01"
_HEADER_BYTES: Final = len(_VERSION) + _FINGERPRINT_BYTES
_SEALED_PREFIX: Final = b"choir-sealed-v1:"
_WRAPPED_PREFIX: Final = b"choir-content-key-v1:"

_SCHEMA = """
CREATE TABLE IF NOT EXISTS content_keys (
    thread_id TEXT NOT NULL,
    recipient TEXT NOT NULL,
    wrapped   BLOB NOT NULL,
    PRIMARY KEY (thread_id, recipient)
) STRICT, WITHOUT ROWID
"""


class SealingError(Exception):
    """Something could not be sealed or opened. ``reason`` is one word for machines.

    Reasons: malformed (not of this format), wrong_key (made for another key), tampered (changed, or moved to
    another content hash), bad_recipient (an address nothing can be wrapped to), no_key (none kept for the
    node), conflict (the thread has another key already).
    """

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class ContentKey:
    """The key of one thread's content. It never prints itself."""

    __slots__ = ("_key", "fingerprint")

    def __init__(self, key: bytes) -> None:
        if len(key) != KEY_BYTES:
            raise ValueError(f"a content key has {KEY_BYTES} bytes, not {len(key)}")
        self._key = key
        self.fingerprint = sha256_bytes(b"choir-content-key-fingerprint-v1:" + key)[:_FINGERPRINT_BYTES]

    @classmethod
    def generate(cls) -> "ContentKey":
        """A new key from the operating system's randomness."""
        return cls(nacl.utils.random(KEY_BYTES))

    def seal(self, content_hash: str, plaintext: bytes) -> bytes:
        """Version, key fingerprint, nonce and ciphertext: 49 bytes more than ``plaintext``."""
        nonce = nacl.utils.random(_NONCE_BYTES)
        associated = _SEALED_PREFIX + content_hash.encode("ascii")
        ciphertext = sodium.crypto_aead_xchacha20poly1305_ietf_encrypt(plaintext, associated, nonce, self._key)
        return _VERSION + self.fingerprint + nonce + ciphertext

    def open(self, content_hash: str, sealed: bytes) -> bytes:
        """What was sealed for ``content_hash``. Raises ``SealingError``: malformed, wrong_key, tampered."""
        if len(sealed) < _HEADER_BYTES + _NONCE_BYTES + _TAG_BYTES or sealed[:1] != _VERSION:
            raise SealingError("malformed", "these bytes are not content sealed by this version of Choir")
        if sealed[1:_HEADER_BYTES] != self.fingerprint:
            raise SealingError("wrong_key", "the content is sealed with the key of another thread")
        nonce, ciphertext = sealed[_HEADER_BYTES:][:_NONCE_BYTES], sealed[_HEADER_BYTES + _NONCE_BYTES :]
        associated = _SEALED_PREFIX + content_hash.encode("ascii")
        try:
            return sodium.crypto_aead_xchacha20poly1305_ietf_decrypt(ciphertext, associated, nonce, self._key)
        except CryptoError:
            raise SealingError("tampered", "the sealed content was changed, or belongs to another message") from None

    def wrap(self, thread_id: str, recipient: str) -> bytes:
        """The key in a sealed box that only ``recipient`` (an address) can open. Raises ``SealingError``."""
        try:
            public_key = sodium.crypto_sign_ed25519_pk_to_curve25519(decode_address(recipient))
        except (AddressError, CryptoError):
            raise SealingError("bad_recipient", f"nothing can be sealed for {recipient[:44]!r}") from None
        return sodium.crypto_box_seal(_WRAPPED_PREFIX + thread_id.encode("ascii") + b":" + self._key, public_key)

    @classmethod
    def unwrap(cls, thread_id: str, wrapped: bytes, recipient: SigningKey) -> "ContentKey":
        """The key of ``thread_id``, out of a box made for ``recipient``.

        Raises ``SealingError``: wrong_key (another's box, or a changed one: a sealed box tells no
        difference), or tampered (the box of another thread).
        """
        secret = sodium.crypto_sign_ed25519_sk_to_curve25519(recipient.seed + recipient.public_key)
        public = sodium.crypto_sign_ed25519_pk_to_curve25519(recipient.public_key)
        try:
            opened = sodium.crypto_box_seal_open(wrapped, public, secret)
        except CryptoError:
            raise SealingError(
                "wrong_key", f"the wrapped key was not made for {recipient.address}, or was changed"
            ) from None
        prefix = _WRAPPED_PREFIX + thread_id.encode("ascii") + b":"
        if not opened.startswith(prefix) or len(opened) != len(prefix) + KEY_BYTES:
            raise SealingError("tampered", "the wrapped key belongs to another thread")
        return cls(opened[len(prefix) :])

    def __repr__(self) -> str:
        return f"ContentKey({self.fingerprint.hex()})"


class SealedText(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a sealed record holds: all that turns a content hash back into words."""

    salt: str
    text: str

    def __repr__(self) -> str:
        return f"SealedText({len(self.text)} characters)"


def pack_content(salt: str, text: str) -> bytes:
    """The bytes to seal."""
    return msgspec.json.encode(SealedText(salt, text))


def unpack_content(plaintext: bytes) -> SealedText:
    """The inverse of ``pack_content``. Raises ``SealingError`` (malformed)."""
    try:
        return msgspec.json.decode(plaintext, type=SealedText)
    except msgspec.MsgspecError:
        raise SealingError("malformed", "the opened content is not a salt and a text") from None


class ContentKeys:
    """The wrapped content keys a node keeps, one row per thread and recipient.

    ``connection`` is in autocommit mode (``isolation_level=None``): each call is one statement, and part of
    the caller's transaction where one is open. No key is stored, logged or cached in clear.
    """

    def __init__(self, connection: sqlite3.Connection, node_key: SigningKey) -> None:
        if connection.isolation_level is not None:
            raise ValueError("the connection must be in autocommit mode: isolation_level=None")
        self._connection = connection
        self._node_key = node_key
        connection.execute(_SCHEMA)

    def create(self, thread_id: str) -> ContentKey:
        """The key of ``thread_id``, made now if there is none. Safe against another worker doing the same."""
        key = ContentKey.generate()
        self._put(thread_id, self._node_key.address, key.wrap(thread_id, self._node_key.address))
        return self.get(thread_id)

    def get(self, thread_id: str) -> ContentKey:
        """The key, unwrapped with the node's own. Raises ``SealingError``: no_key, wrong_key or tampered."""
        wrapped = self.get_wrapped(thread_id, self._node_key.address)
        if wrapped is None:
            raise SealingError("no_key", f"this node was given no key to thread {thread_id}")
        return ContentKey.unwrap(thread_id, wrapped, self._node_key)

    def share(self, thread_id: str, recipients: Iterable[str]) -> None:
        """Wrap the thread's key to ``recipients`` (co-authors, serving nodes) who do not have it yet.

        Raises ``SealingError``: as ``get``, and bad_recipient; recipients before the bad one have it then.
        """
        known = set(self.list_recipients(thread_id))
        missing = [recipient for recipient in recipients if recipient not in known]
        if not missing:
            return
        key = self.get(thread_id)
        for recipient in missing:
            self._put(thread_id, recipient, key.wrap(thread_id, recipient))

    def accept(self, thread_id: str, wrapped: bytes) -> None:
        """Keep a key that another node wrapped to this one: it must arrive before anything is sealed here.

        Raises ``SealingError``: wrong_key, tampered, or conflict when this node has another key to the
        thread.
        """
        key = ContentKey.unwrap(thread_id, wrapped, self._node_key)
        self._put(thread_id, self._node_key.address, wrapped)
        if self.get(thread_id).fingerprint != key.fingerprint:
            raise SealingError("conflict", f"this node already has another key to thread {thread_id}")

    def get_wrapped(self, thread_id: str, recipient: str) -> bytes | None:
        """The box for ``recipient``, to be handed to them: only they can open it."""
        row = self._connection.execute(
            "SELECT wrapped FROM content_keys WHERE thread_id = ? AND recipient = ?", (thread_id, recipient)
        ).fetchone()
        return None if row is None else bytes(row[0])

    def list_recipients(self, thread_id: str) -> list[str]:
        """The addresses the thread's key is wrapped to, in order."""
        rows = self._connection.execute(
            "SELECT recipient FROM content_keys WHERE thread_id = ? ORDER BY recipient", (thread_id,)
        )
        return [recipient for (recipient,) in rows]

    def forget(self, thread_id: str) -> int:
        """Drop all boxes of a thread the node no longer serves; how many there were."""
        return self._connection.execute("DELETE FROM content_keys WHERE thread_id = ?", (thread_id,)).rowcount

    def _put(self, thread_id: str, recipient: str, wrapped: bytes) -> None:
        self._connection.execute(
            "INSERT INTO content_keys VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
            (thread_id, recipient, wrapped),
        )
