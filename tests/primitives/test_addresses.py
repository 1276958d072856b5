"""Addresses: one spelling each, and none for the keys that prove nothing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from choir.primitives import addresses
from choir.primitives.addresses import (
    AddressError,
    SmallOrderKeyError,
    decode_address,
    decode_signature,
    encode_address,
    encode_signature,
    is_small_order,
)
from tests.primitives.curve import L, P, base_point, encode, multiply, torsion_points

ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"


def small_order_encodings() -> set[bytes]:
    """Every 32-byte string that a lax decoder reads as a point of order 1, 2, 4 or 8: both signs, and y + p where
    that fits into 255 bits."""
    ys = {y for _, y in torsion_points()}
    ys |= {y + P for y in ys if y + P < 2**255}
    return {(y | sign << 255).to_bytes(32, "little") for y in ys for sign in (0, 1)}


def test_small_order_set_follows_from_the_curve_equation() -> None:
    encodings = small_order_encodings()
    assert len(encodings) == 14
    assert {e[:31] + bytes([e[31] & 0x7F]) for e in encodings} == addresses._SMALL_ORDER_Y
    for encoding in encodings:
        assert is_small_order(encoding)
        with pytest.raises(SmallOrderKeyError):
            decode_address(encode_address(encoding))


def test_base_point_has_large_order() -> None:
    """The independent curve is the right one: its base point is the one of RFC 8032, of order L."""
    base = base_point()
    assert encode(base).hex() == "58" + "66" * 31
    assert multiply(L, base) == (0, 1)
    assert not is_small_order(encode(base))


@given(st.binary(min_size=32, max_size=32))
def test_round_trip(public_key: bytes) -> None:
    address = encode_address(public_key)
    assert 32 <= len(address) <= 44
    if not is_small_order(public_key):
        assert decode_address(address) == public_key


@given(st.binary(min_size=64, max_size=64))
def test_signature_round_trip(signature: bytes) -> None:
    assert decode_signature(encode_signature(signature)) == signature


@given(st.text(st.sampled_from(ALPHABET + "0OIl +/=\n\t\x00é"), max_size=50))
def test_an_address_has_one_spelling(text: str) -> None:
    try:
        public_key = decode_address(text)
    except AddressError:
        return
    assert encode_address(public_key) == text


@pytest.mark.parametrize("padding", [" ", "\n", "\t", "\r\n", "\x0b", "\x0c", "\u00a0"])
def test_white_space_is_no_part_of_an_address_or_signature(padding: str) -> None:
    """A second spelling would be a second account for one key, or a second hash for one transaction."""
    address, signature = encode_address(bytes(range(32))), encode_signature(bytes(range(64)))
    for spelling in (address + padding, padding + address):
        with pytest.raises(AddressError):
            decode_address(spelling)
    for spelling in (signature + padding, padding + signature):
        with pytest.raises(AddressError):
            decode_signature(spelling)


@pytest.mark.parametrize(
    "text",
    ["", "1", "0" * 44, "l" * 44, "é" * 40, "z" * 44, "1" * 31, "1" * 33, "1" * 89, "1" * 1_000_000],
)
def test_no_address(text: str) -> None:
    with pytest.raises(AddressError):
        decode_address(text)


@pytest.mark.parametrize("size", [0, 31, 33])
def test_no_public_key(size: int) -> None:
    with pytest.raises(AddressError):
        encode_address(bytes(size))
