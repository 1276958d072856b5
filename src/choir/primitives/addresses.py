"""Account addresses: Ed25519 public keys in base58, the same shape as a Solana address."""

from functools import lru_cache

import base58

PUBLIC_KEY_BYTES = 32

# The y coordinates (sign bit cleared) of the points of order 1, 2, 4 and 8, in every encoding that a lax
# decoder accepts. A key of small order verifies forged signatures, so it can never own anything.
# The points are listed in RFC 7748 section 6.1 / libsodium; derived again in tests/primitives/test_addresses.py.
_SMALL_ORDER_Y = frozenset(
    bytes.fromhex(y)
    for y in (
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0100000000000000000000000000000000000000000000000000000000000000",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    )
)


class AddressError(ValueError):
    """The text is not the base58 form of 32 bytes."""


class SmallOrderKeyError(AddressError):
    """The key is a point of small order, under which signatures prove nothing."""


def encode_address(public_key: bytes) -> str:
    """The address of a 32-byte public key."""
    if len(public_key) != PUBLIC_KEY_BYTES:
        raise AddressError(f"a public key has {PUBLIC_KEY_BYTES} bytes, not {len(public_key)}")
    return base58.b58encode(public_key).decode("ascii")


@lru_cache(maxsize=1 << 16)
def decode_address(address: str) -> bytes:
    """The 32-byte public key behind ``address``.

    Raises ``AddressError`` when it is not base58 of 32 bytes, ``SmallOrderKeyError`` for a key of small order.
    """
    public_key = _decode_base58(address, PUBLIC_KEY_BYTES)
    if is_small_order(public_key):
        raise SmallOrderKeyError(f"{address} is a small-order key, which nobody can own")
    return public_key


def decode_signature(signature: str) -> bytes:
    """The 64 bytes behind a base58 signature. Raises ``AddressError``."""
    return _decode_base58(signature, 64)


def encode_signature(signature: bytes) -> str:
    """Base58 of a 64-byte signature."""
    return base58.b58encode(signature).decode("ascii")


def is_small_order(public_key: bytes) -> bool:
    """Whether the point has order 1, 2, 4 or 8."""
    return public_key[:31] + bytes([public_key[31] & 0x7F]) in _SMALL_ORDER_Y


def _decode_base58(text: str, length: int) -> bytes:
    # 64 bytes never need more than 88 digits; a bound keeps decoding linear for hostile input.
    if len(text) > 88:
        raise AddressError(f"expected base58 of {length} bytes, got {len(text)} characters")
    # The library drops trailing white space, which would give one key two addresses.
    if text[-1:].isspace():
        raise AddressError(f"expected base58 of {length} bytes, without white space")
    try:
        data = base58.b58decode(text.encode("ascii"))
    except ValueError:
        raise AddressError(f"expected base58 of {length} bytes") from None
    if len(data) != length:
        raise AddressError(f"expected base58 of {length} bytes, got {len(data)}")
    return data
