"""The digests that name things."""

from choir.primitives.hashing import sha256_bytes, sha256_hex


def test_known_digest() -> None:
    """FIPS 180-4, the one-block example."""
    expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert sha256_hex(b"abc") == expected
    assert sha256_bytes(b"abc").hex() == expected
