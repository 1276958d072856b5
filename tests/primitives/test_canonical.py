"""Canonical JSON: the fast encoder equals the RFC 8785 reference, and the strict parser names what is wrong."""

import json
from contextlib import suppress
from typing import Any

import msgspec
import pytest
import rfc8785
from hypothesis import example, given
from hypothesis import strategies as st

from choir.primitives.canonical import (
    MAX_SAFE_INTEGER,
    CanonicalError,
    canonical_json,
    canonical_struct,
    parse_strict,
)
from tests.ledger.strategies import hostile_text, transactions

integers = st.integers(-MAX_SAFE_INTEGER, MAX_SAFE_INTEGER)
scalars = st.none() | st.booleans() | integers | hostile_text
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(hostile_text, inner, max_size=4), max_leaves=12
)
field_names = st.from_regex(r"\A[a-z][a-z0-9_]{0,8}\Z").filter(lambda name: name not in ("class", "type"))


def reference_of(struct: msgspec.Struct) -> bytes:
    return rfc8785.dumps(msgspec.to_builtins(struct))


@given(transactions())
def test_fast_encoder_equals_the_reference_for_transactions(transaction: msgspec.Struct) -> None:
    assert canonical_struct(transaction) == reference_of(transaction)


@given(st.dictionaries(field_names, scalars | st.lists(scalars, max_size=3).map(tuple), max_size=8))
def test_fast_encoder_equals_the_reference_for_any_struct(fields: dict[str, Any]) -> None:
    struct_type = msgspec.defstruct("Anything", [(name, Any) for name in sorted(fields, reverse=True)])
    assert canonical_struct(struct_type(**fields)) == rfc8785.dumps(fields)


def test_every_character_that_json_may_escape_is_written_alike() -> None:
    class Text(msgspec.Struct):
        text: str

    for point in [*range(0x100), 0x2028, 0x2029, 0xFEFF, 0xFFFD, 0xFFFF, 0x10000, 0x1F600, 0x10FFFF]:
        assert canonical_struct(Text(chr(point))) == rfc8785.dumps({"text": chr(point)}), hex(point)


def test_lone_surrogate_has_no_canonical_form() -> None:
    class Text(msgspec.Struct):
        text: str

    with pytest.raises(CanonicalError) as struct_error:
        canonical_struct(Text("\ud800"))
    with pytest.raises(CanonicalError) as json_error:
        canonical_json({"text": "\ud800"})
    assert (struct_error.value.reason, json_error.value.reason) == ("unicode", "unicode")


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (2**53, "range"),
        (-(2**53), "range"),
        (float("nan"), "float"),
        (float("inf"), "float"),
        ({"\ud800": 1}, "unicode"),
        ({1: 1}, "json"),
        (object(), "json"),
    ],
)
def test_canonical_json_names_the_reason(value: Any, reason: str) -> None:
    with pytest.raises(CanonicalError) as error:
        canonical_json(value)
    assert error.value.reason == reason


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"", "json"),
        (b"{", "json"),
        (b"[1,]", "json"),
        (b"{'a':1}", "json"),
        (b"\xef\xbb\xbf{}", "json"),
        (b"[" * 200_000, "json"),
        (b'{"a":1,"a":1}', "duplicate"),
        (b'{"a":1,"\\u0061":1}', "duplicate"),
        (b'[{"x":{"a":1,"b":2,"a":1}}]', "duplicate"),
        (b"1.5", "float"),
        (b"1.0", "float"),
        (b"1e2", "float"),
        (b"NaN", "float"),
        (b"[-Infinity]", "float"),
        (b"9007199254740992", "range"),
        (b"-9007199254740992", "range"),
        (b"1" * 100_000, "range"),
        (b"\xff", "unicode"),
        (b'"\xed\xa0\x80"', "unicode"),
        (b'"\\ud800"', "unicode"),
        (b'{"\\udfff":1}', "unicode"),
        (b'[{"a":["\\ud800\\ud800"]}]', "unicode"),
    ],
)
def test_strict_parser_names_the_reason(raw: bytes, reason: str) -> None:
    with pytest.raises(CanonicalError) as error:
        parse_strict(raw)
    assert error.value.reason == reason


def test_depth_is_bounded_before_the_interpreter_bounds_it() -> None:
    assert parse_strict(b"[" * 64 + b"]" * 64)
    for depth in (65, 500, 950, 980, 1000, 100_000):
        with pytest.raises(CanonicalError, match="64 levels"):
            parse_strict(b'{"a":' + b"[" * depth + b"]" * depth + b"}")


def test_brackets_inside_text_are_not_depth() -> None:
    assert parse_strict(b'["' + b"[{" * 500 + b'\\"[\\\\"]') == ["[{" * 500 + '"[\\']


@given(values)
@example({"é": 1, "e": 2, "\U0001f600": 3, "\uffff": 4})
@example(MAX_SAFE_INTEGER)
def test_strict_parser_reads_back_what_the_reference_wrote(value: Any) -> None:
    raw = rfc8785.dumps(value)
    assert parse_strict(raw) == value
    assert canonical_json(parse_strict(json.dumps(value, indent=1).encode())) == raw


@given(st.binary(max_size=60) | hostile_text.map(lambda text: text.encode("utf-8", "surrogatepass")))
def test_strict_parser_raises_nothing_else(raw: bytes) -> None:
    with suppress(CanonicalError):
        parse_strict(raw)
