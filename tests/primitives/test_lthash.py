"""LtHash: a set's hash does not depend on order or history, and equals a slow reference in plain Python."""

import pytest
from blake3 import blake3
from hypothesis import given, settings
from hypothesis import strategies as st

from choir.primitives.lthash import LANES, SIZE_BYTES, LtHash

elements = st.lists(st.binary(max_size=30), max_size=12)


def accumulator_by_definition(added: list[bytes], removed: list[bytes]) -> bytes:
    """Lane-wise sums modulo 2^16 of BLAKE3's extended output, one lane at a time."""
    lanes = [0] * 1024
    for sign, items in ((1, added), (-1, removed)):
        for item in items:
            expanded = blake3(item).digest(length=2048)
            for lane in range(1024):
                lanes[lane] += sign * int.from_bytes(expanded[2 * lane : 2 * lane + 2], "little")
    return b"".join((lane % 65536).to_bytes(2, "little") for lane in lanes)


@settings(max_examples=25)
@given(elements, elements)
def test_lanes_equal_the_reference(added: list[bytes], removed: list[bytes]) -> None:
    result = LtHash().updated(added=added, removed=removed)
    assert result.accumulator() == accumulator_by_definition(added, removed)
    assert result.digest_hex() == blake3(accumulator_by_definition(added, removed)).hexdigest()


@given(elements.flatmap(lambda items: st.tuples(st.just(items), st.permutations(items))))
def test_order_does_not_matter(pair: tuple[list[bytes], list[bytes]]) -> None:
    items, shuffled = pair
    one_by_one = LtHash()
    for item in shuffled:
        one_by_one = one_by_one.updated(added=[item], removed=[])
    assert one_by_one == LtHash().updated(added=items, removed=[])


@given(elements, elements)
def test_removing_undoes_adding(kept: list[bytes], passing: list[bytes]) -> None:
    base = LtHash().updated(added=kept, removed=[])
    assert base.updated(added=passing, removed=[]).updated(added=[], removed=passing) == base
    assert base.updated(added=passing, removed=passing) == base


def test_more_elements_than_one_chunk() -> None:
    items = [bytes([i % 256, i // 256]) for i in range(300)]
    assert LtHash().updated(added=items, removed=[]).accumulator() == accumulator_by_definition(items, [])


def test_update_leaves_the_old_value_alone() -> None:
    empty = LtHash()
    empty.updated(added=[b"x"], removed=[])
    assert empty.accumulator() == bytes(SIZE_BYTES) == bytes(LANES * 2)


def test_restored_from_its_accumulator() -> None:
    value = LtHash().updated(added=[b"x", b"y"], removed=[])
    assert LtHash(value.accumulator()) == value
    assert value != LtHash()
    assert value != value.accumulator()


@pytest.mark.parametrize("size", [0, SIZE_BYTES - 1, SIZE_BYTES + 1])
def test_accumulator_of_another_size_is_refused(size: int) -> None:
    with pytest.raises(ValueError, match="2048 bytes"):
        LtHash(bytes(size))
