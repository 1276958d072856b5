"""Sealed content with real keys: who can open it, who cannot, and that secrets stay out of sight."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from choir.memory.sealing import (
    ContentKey,
    ContentKeys,
    SealedText,
    SealingError,
    pack_content,
    unpack_content,
)
from choir.primitives.addresses import encode_address
from choir.primitives.signatures import SigningKey

THREAD = "0f" * 16
HASH = "ab" * 32
NODE, ANN, BEN = SigningKey(b"n" * 32), SigningKey(b"a" * 32), SigningKey(b"b" * 32)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(tmp_path / "memory.db", isolation_level=None)
    yield connection
    connection.close()


@pytest.fixture
def keys(database: sqlite3.Connection) -> ContentKeys:
    return ContentKeys(database, NODE)


def _get_reason(error: pytest.ExceptionInfo[SealingError]) -> str:
    return error.value.reason


@given(st.binary(max_size=200))
def test_what_is_sealed_opens_again(plaintext: bytes) -> None:
    key = ContentKey.generate()
    sealed = key.seal(HASH, plaintext)
    assert key.open(HASH, sealed) == plaintext
    assert len(sealed) == len(plaintext) + 49
    assert sealed != key.seal(HASH, plaintext)


def test_any_changed_byte_is_noticed() -> None:
    key = ContentKey.generate()
    sealed = key.seal(HASH, b"meet at noon")
    reasons = []
    for position in range(len(sealed)):
        changed = bytearray(sealed)
        changed[position] ^= 1
        with pytest.raises(SealingError) as caught:
            key.open(HASH, bytes(changed))
        reasons.append(_get_reason(caught))
    assert reasons == ["malformed"] + ["wrong_key"] * 8 + ["tampered"] * (len(sealed) - 9)


def test_content_cannot_stand_in_for_other_content() -> None:
    key = ContentKey.generate()
    with pytest.raises(SealingError) as caught:
        key.open("cd" * 32, key.seal(HASH, b"x"))
    assert _get_reason(caught) == "tampered"


def test_another_threads_key_is_named_as_such() -> None:
    with pytest.raises(SealingError) as caught:
        ContentKey.generate().open(HASH, ContentKey.generate().seal(HASH, b"x"))
    assert _get_reason(caught) == "wrong_key"


@pytest.mark.parametrize("length", [0, 1, 48])
def test_truncated_content_is_malformed(length: int) -> None:
    key = ContentKey.generate()
    with pytest.raises(SealingError) as caught:
        key.open(HASH, key.seal(HASH, b"x")[:length])
    assert _get_reason(caught) == "malformed"


def test_a_co_author_opens_the_box_and_the_content(keys: ContentKeys) -> None:
    sealed = keys.create(THREAD).seal(HASH, pack_content("a1" * 16, "hé 😀"))
    keys.share(THREAD, [ANN.address])
    box = keys.get_wrapped(THREAD, ANN.address)
    assert box is not None
    opened = ContentKey.unwrap(THREAD, box, ANN).open(HASH, sealed)
    assert unpack_content(opened) == SealedText("a1" * 16, "hé 😀")


def test_a_newcomer_reads_what_was_sealed_before(keys: ContentKeys) -> None:
    sealed = keys.create(THREAD).seal(HASH, b"before")
    keys.share(THREAD, [ANN.address])
    keys.share(THREAD, [ANN.address, BEN.address])
    box = keys.get_wrapped(THREAD, BEN.address)
    assert box is not None
    assert ContentKey.unwrap(THREAD, box, BEN).open(HASH, sealed) == b"before"
    assert keys.list_recipients(THREAD) == sorted([NODE.address, ANN.address, BEN.address])


def test_a_box_opens_for_its_recipient_and_thread_only(keys: ContentKeys) -> None:
    box = keys.create(THREAD).wrap(THREAD, ANN.address)
    for thread_id, reader, reason in [(THREAD, BEN, "wrong_key"), ("1e" * 16, ANN, "tampered")]:
        with pytest.raises(SealingError) as caught:
            ContentKey.unwrap(thread_id, box, reader)
        assert _get_reason(caught) == reason


@pytest.mark.parametrize("box", [b"", b"x" * 47, b"x" * 48, b"x" * 200])
def test_junk_is_no_box(box: bytes) -> None:
    with pytest.raises(SealingError) as caught:
        ContentKey.unwrap(THREAD, box, ANN)
    assert _get_reason(caught) == "wrong_key"


# The second is no point of the curve, so no signature under it exists either.
@pytest.mark.parametrize("address", ["", encode_address(b"\x02" + b"\x00" * 31), encode_address(b"\x00" * 32)])
def test_a_key_is_not_wrapped_to_an_unusable_address(address: str) -> None:
    with pytest.raises(SealingError) as caught:
        ContentKey.generate().wrap(THREAD, address)
    assert _get_reason(caught) == "bad_recipient"


def test_a_thread_has_one_key_even_when_two_workers_make_it(database: sqlite3.Connection, tmp_path: Path) -> None:
    other = sqlite3.connect(tmp_path / "memory.db", isolation_level=None)
    first, second = ContentKeys(database, NODE), ContentKeys(other, NODE)
    sealed = first.create(THREAD).seal(HASH, b"x")
    assert second.create(THREAD).open(HASH, sealed) == b"x"
    other.close()


def test_keys_go_with_the_callers_transaction(database: sqlite3.Connection, keys: ContentKeys) -> None:
    database.execute("BEGIN")
    keys.create(THREAD)
    database.execute("ROLLBACK")
    assert keys.list_recipients(THREAD) == []


def test_a_serving_node_accepts_a_key_and_refuses_a_second(keys: ContentKeys) -> None:
    theirs = ContentKey.generate()
    keys.accept(THREAD, theirs.wrap(THREAD, NODE.address))
    assert keys.get(THREAD).open(HASH, theirs.seal(HASH, b"x")) == b"x"
    for box, reason in [
        (ContentKey.generate().wrap(THREAD, NODE.address), "conflict"),
        (theirs.wrap(THREAD, ANN.address), "wrong_key"),
    ]:
        with pytest.raises(SealingError) as caught:
            keys.accept(THREAD, box)
        assert _get_reason(caught) == reason


def test_another_node_key_opens_nothing(database: sqlite3.Connection, keys: ContentKeys) -> None:
    keys.create(THREAD)
    with pytest.raises(SealingError) as caught:
        ContentKeys(database, BEN).get(THREAD)
    assert _get_reason(caught) == "no_key"


def test_a_forgotten_thread_has_no_key(keys: ContentKeys) -> None:
    keys.create(THREAD)
    assert keys.forget(THREAD) == 1
    with pytest.raises(SealingError) as caught:
        keys.share(THREAD, [ANN.address])
    assert _get_reason(caught) == "no_key"


def test_nothing_secret_is_stored_or_shown(database: sqlite3.Connection, keys: ContentKeys) -> None:
    raw = b"K" * 32
    keys.accept(THREAD, ContentKey(raw).wrap(THREAD, NODE.address))
    assert all(raw not in bytes(wrapped) for (wrapped,) in database.execute("SELECT wrapped FROM content_keys"))
    shown = [repr(ContentKey(raw)), repr(keys), repr(SealedText("a1" * 16, "meet at noon"))]
    assert not any(secret in text for text in shown for secret in ("KKKK", raw.hex(), "noon", "a1a1"))


@pytest.mark.parametrize("plaintext", [b"", b"{}", b'{"salt":"a","text":"b","more":1}', b"\xff"])
def test_opened_junk_is_malformed(plaintext: bytes) -> None:
    with pytest.raises(SealingError) as caught:
        unpack_content(plaintext)
    assert _get_reason(caught) == "malformed"


def test_a_key_has_32_bytes() -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        ContentKey(b"short")


def test_a_connection_that_would_not_commit_is_refused() -> None:
    connection = sqlite3.connect(":memory:")
    with pytest.raises(ValueError, match="autocommit"):
        ContentKeys(connection, NODE)
    connection.close()
