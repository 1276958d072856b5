"""RFC 6962 style Merkle trees as CometBFT builds them (SHA-256, leaf prefix 0x00, inner prefix 0x01).

A list of n leaves splits at the largest power of two below n; the root of no leaves is SHA-256 of nothing.
"""

from collections.abc import Sequence
from hashlib import sha256


def merkle_root(leaves: Sequence[bytes]) -> bytes:
    """32-byte root over the leaves, in their order."""
    level = [_leaf_hash(leaf) for leaf in leaves]
    return _root(level)


def merkle_proof(leaves: Sequence[bytes], index: int) -> list[bytes]:
    """The sibling hashes from leaf ``index`` up to the root. Raises ``IndexError``."""
    if not 0 <= index < len(leaves):
        raise IndexError(f"no leaf {index} among {len(leaves)}")
    path: list[bytes] = []
    level = [_leaf_hash(leaf) for leaf in leaves]
    start, end = 0, len(level)
    while end - start > 1:
        middle = start + _split_point(end - start)
        if index < middle:
            path.append(_root(level[middle:end]))
            end = middle
        else:
            path.append(_root(level[start:middle]))
            start = middle
    return path[::-1]


def root_from_proof(leaf: bytes, index: int, total: int, path: Sequence[bytes]) -> bytes:
    """The root that ``leaf`` at ``index`` of ``total`` leads to along ``path``. Raises ``ValueError`` for a path of
    the wrong length or an index out of range."""
    if not 0 <= index < total:
        raise ValueError(f"no leaf {index} among {total}")
    turns = _turns(index, total)
    if len(turns) != len(path):
        raise ValueError(f"a path for leaf {index} of {total} has {len(turns)} hashes, not {len(path)}")
    node = _leaf_hash(leaf)
    for sibling, is_left in zip(path, reversed(turns), strict=True):
        node = _inner_hash(node, sibling) if is_left else _inner_hash(sibling, node)
    return node


def _turns(index: int, total: int) -> list[bool]:
    """From the root down: whether the leaf is in the left subtree at each step."""
    turns: list[bool] = []
    while total > 1:
        middle = _split_point(total)
        if index < middle:
            turns.append(True)
            total = middle
        else:
            turns.append(False)
            index, total = index - middle, total - middle
    return turns


def _root(level: Sequence[bytes]) -> bytes:
    """Pair neighbours until one is left; an odd one out moves up alone. That is the split at the largest power of two,
    read from the leaves up."""
    if not level:
        return sha256(b"").digest()
    while len(level) > 1:
        paired = [_inner_hash(level[i], level[i + 1]) for i in range(0, len(level) - 1, 2)]
        if len(level) % 2:
            paired.append(level[-1])
        level = paired
    return level[0]


def _split_point(count: int) -> int:
    return 1 << ((count - 1).bit_length() - 1)


def _leaf_hash(leaf: bytes) -> bytes:
    return sha256(b"\x00" + leaf).digest()


def _inner_hash(left: bytes, right: bytes) -> bytes:
    return sha256(b"\x01" + left + right).digest()
