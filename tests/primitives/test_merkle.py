"""Merkle trees against the recursive definition of RFC 6962, written out independently."""

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from choir.primitives.merkle import merkle_proof, merkle_root, root_from_proof


def root_by_definition(leaves: list[bytes]) -> bytes:
    """MTH of RFC 6962 section 2.1: k is the largest power of two smaller than n."""
    if not leaves:
        return sha256().digest()
    if len(leaves) == 1:
        return sha256(b"\x00" + leaves[0]).digest()
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    return sha256(b"\x01" + root_by_definition(leaves[:k]) + root_by_definition(leaves[k:])).digest()


def path_by_definition(index: int, leaves: list[bytes]) -> list[bytes]:
    """PATH of RFC 6962 section 2.1.1."""
    if len(leaves) <= 1:
        return []
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    if index < k:
        return [*path_by_definition(index, leaves[:k]), root_by_definition(leaves[k:])]
    return [*path_by_definition(index - k, leaves[k:]), root_by_definition(leaves[:k])]


leaf_lists = st.lists(st.binary(max_size=40), min_size=1, max_size=20)


def test_known_roots() -> None:
    """The published vectors of the Certificate Transparency reference implementation."""
    leaves = [bytes.fromhex(h) for h in ("", "00", "10", "2021", "3031", "40414243", "5051525354555657", "60" * 16)]
    leaves[7] = bytes(range(0x60, 0x70))
    known = {
        0: "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        1: "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        2: "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        3: "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        5: "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        8: "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    }
    for count, root in known.items():
        assert merkle_root(leaves[:count]).hex() == root


@given(st.lists(st.binary(max_size=40), max_size=33))
def test_root_equals_the_definition(leaves: list[bytes]) -> None:
    assert merkle_root(leaves) == root_by_definition(leaves)


@given(leaf_lists)
def test_every_proof_verifies(leaves: list[bytes]) -> None:
    for index, leaf in enumerate(leaves):
        path = merkle_proof(leaves, index)
        assert path == path_by_definition(index, leaves)
        assert root_from_proof(leaf, index, len(leaves), path) == merkle_root(leaves)


@given(st.data(), st.lists(st.binary(max_size=40), min_size=2, max_size=20, unique=True))
def test_every_mutated_proof_fails(data: st.DataObject, leaves: list[bytes]) -> None:
    index = data.draw(st.integers(0, len(leaves) - 1))
    path = merkle_proof(leaves, index)
    root = merkle_root(leaves)
    step = data.draw(st.integers(0, len(path) - 1))
    bit = data.draw(st.integers(0, 255))
    flipped = bytearray(path[step])
    flipped[bit // 8] ^= 1 << bit % 8
    assert root_from_proof(leaves[index], index, len(leaves), [*path[:step], bytes(flipped), *path[step + 1 :]]) != root
    assert root_from_proof(leaves[index] + b"\x00", index, len(leaves), path) != root
    for other in range(len(leaves)):
        if other != index and len(merkle_proof(leaves, other)) == len(path):
            assert root_from_proof(leaves[index], other, len(leaves), path) != root
            assert root_from_proof(leaves[other], index, len(leaves), path) != root
    for wrong in (path[:-1], [*path, path[0]]):
        with pytest.raises(ValueError, match="hashes, not"):
            root_from_proof(leaves[index], index, len(leaves), wrong)


@pytest.mark.parametrize(("index", "total"), [(-1, 3), (3, 3), (0, 0)])
def test_index_out_of_range(index: int, total: int) -> None:
    with pytest.raises(ValueError, match="no leaf"):
        root_from_proof(b"", index, total, [])
    with pytest.raises(IndexError):
        merkle_proof([b""] * total, index)


def test_inner_node_is_not_a_leaf() -> None:
    """The prefixes keep an inner node from being presented as a leaf (second preimage)."""
    leaves = [b"a", b"b"]
    inner = sha256(b"\x00a").digest() + sha256(b"\x00b").digest()
    assert merkle_root([inner]) != merkle_root(leaves)
