"""Where a query is cut, for who sends it and who answers it."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from choir.primitives.queries import MAXIMUM_QUERY_CHARACTERS, cut_query


@pytest.mark.parametrize(
    ("query", "text", "is_cut"),
    [
        ("  fee\x00market\n", "fee market", False),
        ("e\u0301", "\u00e9", False),
        ("x" * 8_192, "x" * 8_192, False),
        ("x" * 8_193, "x" * 8_192, True),
        ("x" * 8_190 + " words", "x" * 8_190, True),
        ("word " + "x" * 10_000, ("word " + "x" * 10_000)[:8_192], True),
        ("e\u0301" * 8_192, "\u00e9" * 8_192, False),
        (" " * 9_000 + "a", "a", False),
    ],
)
def test_a_query_is_cut_between_words(query: str, text: str, is_cut: bool) -> None:
    assert cut_query(query) == (text, is_cut)


@given(st.text(max_size=60).map(lambda text: text * 300))
def test_what_is_cut_once_stays_as_it_is(query: str) -> None:
    text, is_cut = cut_query(query)
    assert len(text) <= MAXIMUM_QUERY_CHARACTERS
    assert cut_query(text) == (text, False)
    assert is_cut or text == unicodedata.normalize("NFC", text)
