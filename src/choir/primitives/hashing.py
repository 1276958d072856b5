"""Digests. Everything that is named by a hash is named by lowercase hex of SHA-256."""

from hashlib import sha256


def sha256_hex(data: bytes) -> str:
    """SHA-256 of ``data`` as 64 lowercase hex digits."""
    return sha256(data).hexdigest()


def sha256_bytes(data: bytes) -> bytes:
    """SHA-256 of ``data`` as 32 bytes."""
    return sha256(data).digest()
