"""Ed25519 (RFC 8032) through libsodium: exactly one verifier, network-wide.

libsodium refuses small-order keys and non-canonical scalars, so a signature has one accepted form.
"""

from typing import Final

import nacl.bindings
import nacl.utils
from nacl.exceptions import BadSignatureError

from choir.primitives.addresses import (
    AddressError,
    decode_address,
    decode_signature,
    encode_address,
    encode_signature,
)

SEED_BYTES: Final = 32


class SigningKey:
    """An Ed25519 private key. It never prints itself."""

    __slots__ = ("_secret", "address", "public_key")

    def __init__(self, seed: bytes) -> None:
        if len(seed) != SEED_BYTES:
            raise ValueError(f"a seed has {SEED_BYTES} bytes, not {len(seed)}")
        self.public_key, self._secret = nacl.bindings.crypto_sign_seed_keypair(seed)
        self.address = encode_address(self.public_key)

    @classmethod
    def generate(cls) -> "SigningKey":
        """A new key from the operating system's randomness."""
        return cls(nacl.utils.random(SEED_BYTES))

    @property
    def seed(self) -> bytes:
        """The 32 secret bytes, for storing in a keyring."""
        return self._secret[:SEED_BYTES]

    def sign(self, message: bytes) -> str:
        """Base58 of the 64-byte signature over ``message``."""
        return encode_signature(nacl.bindings.crypto_sign(message, self._secret)[:64])

    def __repr__(self) -> str:
        return f"SigningKey({self.address})"


def is_valid_signature(address: str, message: bytes, signature: str) -> bool:
    """Whether ``signature`` (base58) over ``message`` was made by ``address``.

    A malformed address or signature is simply not valid.
    """
    try:
        nacl.bindings.crypto_sign_open(decode_signature(signature) + message, decode_address(address))
    except (BadSignatureError, AddressError):
        return False
    return True
