"""The text rules, one row per refusal, and the content hash against the reference canonical form."""

import hashlib
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from choir.memory.text import (
    MAX_TEXT_BYTES,
    TextError,
    check_text,
    content_hash,
    new_salt,
    normalise_text,
)
from choir.primitives.canonical import canonical_json

AUTHOR = "4vJ9JU1bJJE96FWSJKvHsmmFADCg4gpZQff4P3bkLKi"
THREAD = "0f" * 16
SALT = "a1" * 16

REFUSED = {
    "nothing": ("", "empty"),
    "spaces": (" \t\n\u00a0\u3000", "blank"),
    "one code point too long": ("a" * (MAX_TEXT_BYTES + 1), "too_large"),
    "few code points, many bytes": ("\U0001f600" * (MAX_TEXT_BYTES // 4 + 1), "too_large"),
    "high surrogate": ("a\ud83d", "surrogate"),
    "low surrogate": ("\ude00a", "surrogate"),
    "null": ("a\x00b", "control"),
    "escape": ("\x1b[2J", "control"),
    "delete": ("a\x7f", "control"),
    "next line, C1": ("a\x85", "control"),
    "carriage return": ("a\r\nb", "control"),
    "vertical tab": ("a\x0bb", "control"),
    "noncharacter": ("a\uffff", "noncharacter"),
    "noncharacter of the last plane": ("a\U0010fffe", "noncharacter"),
    "noncharacter, Arabic block": ("a\ufdd0", "noncharacter"),
    "decomposed": ("cafe\u0301", "unnormalised"),
    "singleton": ("\u212b", "unnormalised"),
    "Hangul parts": ("\u1112\u1161", "unnormalised"),
    "zero width": ("\u200b\u200d\ufeff", "invisible"),
    "marks of direction": ("\u202e \u2066\u2069\n", "invisible"),
    "Hangul fillers": ("\u3164\u115f\u1160\uffa0", "invisible"),
    "variation selectors": ("\ufe0f\U000e0100", "invisible"),
    "tags": ("\U000e0041\U000e007f", "invisible"),
    "blank Braille": ("\u2800", "invisible"),
}

ALLOWED = {
    "one letter": "a",
    "tab and line feed": "\ta\nb\n",
    "as long as may be": "a" * MAX_TEXT_BYTES,
    "as long as may be, in emoji": "\U0001f600" * (MAX_TEXT_BYTES // 4),
    "Hebrew": "שלום עולם",
    "Arabic with a mark of direction": "\u200fمرحبا",
    "Persian with a non-joiner": "می\u200cخواهم",
    "family emoji": "\U0001f468\u200d\U0001f469\u200d\U0001f467",
    "heart with a variation selector": "❤\ufe0f",
    "Japanese": "日本語の文章",
    "Devanagari": "क्षत्रिय",
    "private use": "\ue000",
    "a digit among invisible ones": "\u200b7\u200b",
    "a combining mark alone": "\u0301",
}


@pytest.mark.parametrize(("text", "reason"), REFUSED.values(), ids=REFUSED.keys())
def test_refused_with_its_reason(text: str, reason: str) -> None:
    with pytest.raises(TextError) as caught:
        check_text(text)
    assert caught.value.reason == reason
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize("text", ALLOWED.values(), ids=ALLOWED.keys())
def test_allowed(text: str) -> None:
    check_text(text)


@given(st.text())
def test_what_is_allowed_is_nfc_and_visible(text: str) -> None:
    if _get_reason(text) is not None:
        return
    assert unicodedata.normalize("NFC", text) == text
    assert text.strip()
    assert text.encode("utf-8")


@given(st.text())
def test_normalising_settles_and_removes_two_refusals(text: str) -> None:
    normal = normalise_text(text)
    assert normalise_text(normal) == normal
    assert "\r" not in normal
    assert _get_reason(normal) != "unnormalised"


def _get_reason(text: str) -> str | None:
    try:
        check_text(text)
    except TextError as error:
        return error.reason
    return None


def test_a_known_hash() -> None:
    form = f'{{"author":"{AUTHOR}","salt":"{SALT}","text":"h\u00e9 \\"x\\"\\n","thread_id":"{THREAD}"}}'
    expected = hashlib.sha256(form.encode("utf-8")).hexdigest()
    assert content_hash(AUTHOR, SALT, 'h\u00e9 "x"\n', THREAD) == expected


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_the_hash_is_over_the_reference_form(text: str) -> None:
    form = canonical_json({"author": AUTHOR, "salt": SALT, "text": text, "thread_id": THREAD})
    assert content_hash(AUTHOR, SALT, text, THREAD) == hashlib.sha256(form).hexdigest()


def test_every_field_counts() -> None:
    fields = {"author": AUTHOR, "salt": SALT, "text": "a", "thread_id": THREAD}
    changes = {"author": "1" * 32, "salt": "b2" * 16, "text": "b", "thread_id": "1e" * 16}
    hashes = {content_hash(**(fields | {name: value})) for name, value in changes.items()}
    assert len(hashes | {content_hash(**fields)}) == 5


@pytest.mark.parametrize("salt", ["", "a1" * 15, "A1" * 16, "g1" * 16, "a1" * 16 + "\n"])
def test_a_malformed_salt_is_refused(salt: str) -> None:
    with pytest.raises(TextError) as caught:
        content_hash(AUTHOR, salt, "a", THREAD)
    assert caught.value.reason == "salt"


def test_half_a_pair_has_no_hash() -> None:
    with pytest.raises(TextError) as caught:
        content_hash(AUTHOR, SALT, "\ud83d", THREAD)
    assert caught.value.reason == "surrogate"


def test_salts_are_fresh_and_accepted() -> None:
    salts = {new_salt() for _ in range(100)}
    assert len(salts) == 100
    assert all(len(content_hash(AUTHOR, salt, "a", THREAD)) == 64 for salt in salts)
