"""Ed25519: the vectors of RFC 8032, and one accepted form of each signature."""

from hashlib import sha512

import base58
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from choir.primitives.addresses import encode_address, encode_signature
from choir.primitives.signatures import SigningKey, is_valid_signature
from tests.primitives.curve import L, P, add, base_point, encode, multiply, sign, torsion_points

# RFC 8032 section 7.1: seed, public key, message, signature.
VECTORS = [
    (
        "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24"
        "655141438e7a100b",
    ),
    (
        "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aee"
        "b00d291612bb0c00",
    ),
    (
        "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28d"
        "c027beceea1ec40a",
    ),
    (
        "833fe62409237b9d62ec77587520911e9a759cec1d19755b7da901b96dca3d42",
        "ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf",
        sha512(b"abc").hexdigest(),
        "dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b58909351fc9ac90b3ecfdfbc7c66431e0303dca179c138ac17a"
        "d9bef1177331a704",
    ),
]


@pytest.mark.parametrize(("seed", "public_key", "message", "signature"), VECTORS)
def test_published_vectors(seed: str, public_key: str, message: str, signature: str) -> None:
    key = SigningKey(bytes.fromhex(seed))
    assert key.public_key.hex() == public_key
    assert key.seed.hex() == seed
    assert key.sign(bytes.fromhex(message)) == encode_signature(bytes.fromhex(signature))
    assert is_valid_signature(key.address, bytes.fromhex(message), encode_signature(bytes.fromhex(signature)))


@settings(max_examples=10)
@given(st.binary(min_size=32, max_size=32), st.binary(max_size=100))
def test_equals_the_plain_integer_reference(seed: bytes, message: bytes) -> None:
    key = SigningKey(seed)
    assert key.sign(message) == encode_signature(sign(seed, message, base_point()))


@given(st.binary(min_size=32, max_size=32), st.binary(max_size=40), st.integers(0, 511))
def test_any_flipped_bit_is_refused(seed: bytes, message: bytes, bit: int) -> None:
    key = SigningKey(seed)
    signature = bytearray(sign_raw(key, message))
    signature[bit // 8] ^= 1 << bit % 8
    assert not is_valid_signature(key.address, message, encode_signature(bytes(signature)))
    assert not is_valid_signature(key.address, message + b"\x00", key.sign(message))


def test_malleable_scalar_is_refused() -> None:
    """S + L is the same scalar modulo L: accepting it would give one transaction two hashes."""
    key = SigningKey(bytes(range(32)))
    raw = sign_raw(key, b"message")
    scalar = int.from_bytes(raw[32:], "little")
    malleable = raw[:32] + (scalar + L).to_bytes(32, "little")
    assert is_valid_signature(key.address, b"message", encode_signature(raw))
    assert not is_valid_signature(key.address, b"message", encode_signature(malleable))


def test_small_order_keys_and_commitments_are_refused() -> None:
    """With A and R of small order and S = 0 the bare equation holds for many messages."""
    for a in torsion_points():
        for r in torsion_points():
            forged = encode_signature(encode(r) + bytes(32))
            assert not is_valid_signature(encode_address(encode(a)), b"any message", forged)


def test_small_order_commitment_under_an_honest_key_is_refused() -> None:
    base = base_point()
    scalar = 12345
    public = encode(multiply(scalar, base))
    for r in torsion_points():
        k = int.from_bytes(sha512(encode(r) + public + b"m").digest(), "little") % L
        forged = encode(r) + (k * scalar % L).to_bytes(32, "little")
        assert not is_valid_signature(encode_address(public), b"m", encode_signature(forged))


def test_key_in_another_spelling_is_refused() -> None:
    """y + p is the same point as y for y < 19; only the reduced form is a key."""
    for y in range(2, 19):
        for sign_bit in (0, 1):
            spelling = (y + P | sign_bit << 255).to_bytes(32, "little")
            assert not is_valid_signature(encode_address(spelling), b"m", encode_signature(bytes(64)))


def test_key_off_the_curve_is_refused() -> None:
    assert not is_valid_signature(encode_address(b"\x02" + bytes(31)), b"m", encode_signature(bytes(64)))


def test_mixed_order_key_needs_its_own_signature() -> None:
    """Adding a torsion point to a key gives another key, under which the old signature must not hold."""
    key = SigningKey(bytes(32))
    digest = sha512(bytes(32)).digest()
    scalar = int.from_bytes(digest[:32], "little") & ((1 << 254) - 8) | (1 << 254)
    for torsion in torsion_points() - {(0, 1)}:
        mixed = encode_address(encode(add(multiply(scalar, base_point()), torsion)))
        assert not is_valid_signature(mixed, b"m", key.sign(b"m"))


@pytest.mark.parametrize("signature", ["", "1", "0" * 88, "1" * 63, "z" * 88, "é" * 64])
def test_malformed_signature_is_not_valid(signature: str) -> None:
    assert not is_valid_signature(SigningKey(bytes(32)).address, b"m", signature)


@pytest.mark.parametrize("size", [0, 31, 33, 64])
def test_seed_of_another_size(size: int) -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        SigningKey(bytes(size))


def test_a_key_never_prints_its_secret() -> None:
    key = SigningKey(bytes(range(32)))
    assert key.seed.hex() not in repr(key) + str(key)
    assert key.address in repr(key)


def test_generated_keys_differ_and_work() -> None:
    one, other = SigningKey.generate(), SigningKey.generate()
    assert one.address != other.address
    assert is_valid_signature(one.address, b"m", one.sign(b"m"))
    assert not is_valid_signature(other.address, b"m", one.sign(b"m"))


def sign_raw(key: SigningKey, message: bytes) -> bytes:

    return base58.b58decode(key.sign(message))
