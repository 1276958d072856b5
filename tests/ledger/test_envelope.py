"""From bytes to an authentic transaction: nothing hostile gets past, and nothing hostile breaks the reader."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from choir.ledger.envelope import check_transaction, parse_transaction
from choir.ledger.errors import Code, Rejected
from choir.ledger.transactions import Transfer, canonical_bytes
from choir.primitives.canonical import canonical_json
from choir.primitives.signatures import SigningKey
from tests.ledger.strategies import transactions
from tests.ledger.support import CHAIN_ID, Ledger, address, sign

GOOD = sign("alice", Transfer(to=address("bob"), amount="5"), 0)


def edited(**fields: Any) -> bytes:
    return canonical_json({**json.loads(GOOD), **fields})


def refusal_of(raw: bytes) -> Rejected:
    refusal = check_transaction(raw, CHAIN_ID).refusal
    assert refusal is not None
    return refusal


def test_the_good_one_passes() -> None:
    assert check_transaction(GOOD, CHAIN_ID).refusal is None


@pytest.mark.parametrize("depth", [3, 60, 65, 500, 950, 980, 1000, 50_000])
def test_deep_nesting_is_refused_and_not_fatal(depth: int) -> None:
    assert refusal_of(b'{"body":' + b"[" * depth + b"]" * depth + b"}").code in (Code.MalformedJson, Code.InvalidField)
    assert refusal_of(b'{"x":' + b'{"x":' * depth + b"1" + b"}" * (depth + 1)).code in (
        Code.MalformedJson,
        Code.UnknownField,
    )


@pytest.mark.parametrize("raw", [b'{"\\ud800":1}', b'{"body":{"\\udfff":1}}'])
def test_lone_surrogate_in_a_key_is_refused_and_not_fatal(raw: bytes) -> None:
    assert refusal_of(raw).code is Code.InvalidUnicode


def test_signature_with_white_space_is_not_the_same_transaction() -> None:
    short = next(sign("bob", Transfer(to=address("alice"), amount=str(n)), 0) for n in range(1, 500) if _is_short(n))
    fields = json.loads(short)
    for padding in (" ", "\n", "\t"):
        padded_signature = canonical_json({**fields, "signature": fields["signature"] + padding})
        assert refusal_of(padded_signature).code is Code.BadSignature
        padded_sender = canonical_json({**fields, "sender": fields["sender"] + padding})
        assert refusal_of(padded_sender).code is Code.InvalidAddress


def _is_short(amount: int) -> bool:
    """Whether a padded signature and address would still be within the lengths that the wire form allows."""
    fields = json.loads(sign("bob", Transfer(to=address("alice"), amount=str(amount)), 0))
    return len(fields["signature"]) < 88 and len(fields["sender"]) < 44


def test_words_of_the_parser_stay_out_of_receipts() -> None:
    """Receipts are committed to by the header, and parsers change their words between releases."""
    ledger = Ledger()
    for raw in (
        b"not json",
        b'{"body":1}',
        edited(extra=1),
        GOOD.replace(b'"nonce":0', b'"nonce":9007199254740992'),
        b"\xff",
    ):
        (receipt,) = ledger.apply([raw]).receipts
        assert receipt.code
        assert receipt.detail == ""


@given(st.binary(max_size=200))
def test_any_bytes_are_refused_with_a_code(raw: bytes) -> None:
    assert 100 <= refusal_of(raw).code.number <= 113


@given(st.integers(0, len(GOOD) - 1), st.binary(max_size=3))
def test_any_edit_is_refused(position: int, replacement: bytes) -> None:
    raw = GOOD[:position] + replacement + GOOD[position + 1 :]
    if raw != GOOD:
        assert 100 <= refusal_of(raw).code.number <= 113


@given(transactions())
def test_any_spelling_is_brought_into_one_form(transaction: Any) -> None:
    """What JSON spells in another way means the same transaction, or is refused."""
    canonical = canonical_bytes(transaction)
    try:
        assert parse_transaction(canonical).raw == canonical
    except Rejected as refusal:
        assert refusal.code in (Code.InvalidField, Code.NumberOutOfRange)  # noqa: PT017
        return
    respelled = json.dumps(json.loads(canonical), indent=2, sort_keys=False).encode()
    assert parse_transaction(respelled).raw == canonical
    assert check_transaction(respelled, CHAIN_ID).refusal is not None


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (GOOD.replace(b'"nonce":0', b'"nonce":0,"nonce":0'), Code.NotCanonical),
        (GOOD.replace(b'"nonce":0', b'"depends_on":null,"nonce":0'), Code.NotCanonical),
        (GOOD.replace(b'"nonce":0', b'"nonce":0.0'), Code.FloatNotAllowed),
        (GOOD.replace(b'"nonce":0', b'"nonce":0e0'), Code.FloatNotAllowed),
        (GOOD.replace(b'"nonce":0', b'"nonce":-1'), Code.NumberOutOfRange),
        (GOOD.replace(b'"nonce":0', b'"nonce":true'), Code.InvalidField),
        (GOOD.replace(b'"nonce":0', b'"nonce":"0"'), Code.InvalidField),
        (GOOD.replace(b'"amount":"5"', b'"amount":5'), Code.InvalidField),
        (GOOD.replace(b'"amount":"5"', b'"amount":"05"'), Code.InvalidField),
        (GOOD.replace(b'"amount":"5"', b'"amount":"-0"'), Code.InvalidField),
        (GOOD.replace(b'"amount":"5"', '"amount":"٥"'.encode()), Code.InvalidField),
        (GOOD.replace(b'"transfer"', b'"transform"'), Code.InvalidField),
        (GOOD + b" ", Code.NotCanonical),
        (b"[]", Code.InvalidField),
        (b"null", Code.InvalidField),
    ],
)
def test_known_refusals(raw: bytes, code: Code) -> None:
    assert raw != GOOD
    assert refusal_of(raw).code is code


def test_each_key_signs_only_for_itself() -> None:
    forged = json.loads(GOOD)
    forged["sender"] = SigningKey(bytes(32)).address
    assert refusal_of(canonical_json(forged)).code is Code.BadSignature
    assert refusal_of(edited(nonce=1)).code is Code.BadSignature
    del forged["signature"]
    assert refusal_of(canonical_json(forged)).code is Code.BadSignature
