"""What is looked at in an epoch, drawn from its seed: everybody draws the same, and nobody knows it beforehand.

The seed is the hash of the epoch's first block. Numbers come from BLAKE3's output stream over prefix, seed and label.
"""

from struct import unpack
from typing import Final

from blake3 import blake3

_PREFIX: Final = b"choir-draw-v1:"
_WORD_BYTES: Final = 8


def draw_bytes(seed: bytes, label: str, length: int) -> bytes:
    """``length`` bytes that follow from seed and label."""
    return blake3(_PREFIX + seed + label.encode("ascii")).digest(length=length)


def draw_indices(seed: bytes, label: str, count: int, among: int) -> list[int]:
    """At most ``count`` different numbers below ``among``, in the order in which they were drawn."""
    count = min(count, among)
    words = unpack(f"<{count}Q", draw_bytes(seed, label, count * _WORD_BYTES))
    # Fisher and Yates, as far as it is needed; what was not moved stands at its own place.
    moved: dict[int, int] = {}
    drawn = []
    for place, word in enumerate(words):
        taken = place + word % (among - place)
        drawn.append(moved.get(taken, taken))
        moved[taken] = moved.get(place, place)
    return drawn


def draw_probe(seed: bytes, number: int, dimensions: int) -> tuple[int, ...]:
    """The direction of a probe: as many whole numbers from -32,768 to 32,767, of no particular length."""
    return unpack(f"<{dimensions}h", draw_bytes(seed, f"probe/{number}", dimensions * 2))
