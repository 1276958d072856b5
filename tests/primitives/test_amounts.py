"""Amounts as people write and read them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from choir.primitives.amounts import TOTAL_SUPPLY_UCHOIR, format_choir, parse_choir


@pytest.mark.parametrize(
    ("text", "amount_uchoir"),
    [
        ("0", 0),
        ("1", 1_000_000),
        ("0.25", 250_000),
        ("0.000001", 1),
        ("1,234.5", 1_234_500_000),
        ("1_000", 1_000_000_000),
        (" 7 ", 7_000_000),
        ("10000000000", TOTAL_SUPPLY_UCHOIR),
    ],
)
def test_read(text: str, amount_uchoir: int) -> None:
    assert parse_choir(text) == amount_uchoir


@pytest.mark.parametrize(
    "text",
    [
        "",
        ".",
        "1.",
        ".5",
        "-1",
        "+1",
        "1e3",
        "0.0000001",
        "10000000000.000001",
        "99999999999",
        "1.2.3",
        "NaN",
        "٣",
        "½",
    ],
)
def test_refused(text: str) -> None:
    with pytest.raises(ValueError):
        parse_choir(text)


@given(st.integers(0, TOTAL_SUPPLY_UCHOIR))
def test_reading_what_was_written(amount_uchoir: int) -> None:
    assert parse_choir(format_choir(amount_uchoir)) == amount_uchoir
    if amount_uchoir:
        assert format_choir(-amount_uchoir) == "-" + format_choir(amount_uchoir)
