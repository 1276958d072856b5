"""Sketches of sets of records: two of them tell how much of the sets is common, without the sets.

MinHash with 128 slots: slot i holds the least of the i-th numbers of all members. The share of equal slots estimates
the Jaccard index of the sets, with a standard error of at most 0.044 (Broder 1997).
"""

from collections.abc import Iterable
from struct import pack, unpack
from typing import Final

from blake3 import blake3

from choir.coherence.fixed import share

SLOTS: Final = 128
EMPTY: Final = (2**32 - 1,) * SLOTS
_PREFIX: Final = b"choir-sketch-v1:"
_FORM: Final = f"<{SLOTS}I"
_EXPANDED_BYTES: Final = SLOTS * 4

Sketch = tuple[int, ...]


def make_sketch(salt: bytes, record_ids: Iterable[bytes]) -> Sketch:
    """The sketch of a set, in any order and with repeats; `EMPTY` for none. Each member is expanded by BLAKE3 to 128
    numbers of 32 bits, little-endian, over prefix, salt and id."""
    least = EMPTY
    for record_id in record_ids:
        expanded = unpack(_FORM, blake3(_PREFIX + salt + record_id).digest(length=_EXPANDED_BYTES))
        least = tuple(map(min, least, expanded))
    return least


def sketch_agreement(own: Sketch, reference: Sketch) -> int:
    """J: the share of equal slots. Raises ``ValueError`` for what is no sketch."""
    return share(sum(mine == other for mine, other in zip(own, reference, strict=True)), SLOTS)


def sketch_bytes(sketch: Sketch) -> bytes:
    """The 512 bytes of a sketch, as a report carries it."""
    return pack(_FORM, *sketch)
