"""Canonical JSON: RFC 8785 (JCS), the one byte form of whatever is hashed or signed.

Two encoders, equal under differential fuzzing (tests/primitives/test_canonical.py): `canonical_struct` for our own
types, whose keys are ASCII and whose numbers are integers, and the reference library for anything else.
"""

import json
import re
from typing import Any, Final, NoReturn

import msgspec
import rfc8785

MAX_SAFE_INTEGER: Final = 2**53 - 1
# Deeper than any document of ours, and far from the interpreter's own limit, which differs between callers.
MAX_DEPTH: Final = 64

# An unterminated text runs to the end, so that every character is looked at once.
_text_or_bracket = re.compile(r'"(?:[^"\\]|\\.)*+(?:"|\\?\Z)|[\[{]|[\]}]', re.DOTALL)
_sorted_encoder = msgspec.json.Encoder(order="sorted")


class CanonicalError(ValueError):
    """The value has no canonical form. ``reason`` names why: json, duplicate, float, range or unicode."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


def canonical_struct(value: msgspec.Struct) -> bytes:
    """RFC 8785 form of a struct with ASCII field names and integers within ±(2^53 − 1).

    Raises ``CanonicalError`` for text that is not valid Unicode.
    """
    try:
        return _sorted_encoder.encode(value)
    except UnicodeEncodeError as error:
        raise CanonicalError("unicode", "the text is not valid Unicode") from error


def canonical_json(value: Any) -> bytes:
    """RFC 8785 form of a plain JSON value, by the reference encoder. Raises ``CanonicalError``."""
    try:
        return rfc8785.dumps(value)
    except UnicodeEncodeError as error:
        raise CanonicalError("unicode", "a key is not valid Unicode") from error
    except rfc8785.IntegerDomainError as error:
        raise CanonicalError("range", str(error)) from error
    except rfc8785.FloatDomainError as error:
        raise CanonicalError("float", str(error)) from error
    except rfc8785.CanonicalizationError as error:
        reason = "unicode" if isinstance(error.__cause__, UnicodeError) else "json"
        raise CanonicalError(reason, str(error)) from error


def parse_strict(raw: bytes) -> Any:
    """Parse JSON that holds no float, no duplicate key, no lone surrogate, no number beyond ±(2^53 − 1) and no more
    than ``MAX_DEPTH`` levels.

    Raises ``CanonicalError`` with the reason. Slow path: used to name what is wrong with refused input.
    """
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise CanonicalError("unicode", "the bytes are not UTF-8") from error
    _validate_depth(text)
    try:
        value = json.loads(
            text,
            object_pairs_hook=_unique_pairs,
            parse_float=_refuse_float,
            parse_int=_bounded_int,
            parse_constant=_refuse_float,
        )
    except json.JSONDecodeError as error:
        raise CanonicalError("json", f"not valid JSON: {error}") from error
    canonical_json(value)  # raises for lone surrogates, which json.loads lets through
    return value


def _validate_depth(text: str) -> None:
    depth = 0
    for token in _text_or_bracket.finditer(text):
        if token[0] in "[{":
            depth += 1
            if depth > MAX_DEPTH:
                raise CanonicalError("json", f"it is nested more than {MAX_DEPTH} levels deep")
        elif token[0] in "]}":
            depth -= 1


def _unique_pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        seen: set[str] = set()
        twice = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        raise CanonicalError("duplicate", f"the key {twice!r} stands twice in one object")
    return value


def _refuse_float(text: str) -> NoReturn:
    raise CanonicalError("float", f"{text[:40]} is not an integer: floating-point numbers are not accepted")


def _bounded_int(text: str) -> int:
    # The length is checked first: converting a million digits is quadratic.
    if len(text) > 17 or abs(int(text)) > MAX_SAFE_INTEGER:
        raise CanonicalError("range", f"{text[:40]} is beyond ±(2^53 − 1): write large numbers as strings")
    return int(text)
