"""Summaries against adversarial texts. The leak oracle here shares no code with the module it judges."""

import re
import unicodedata

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from choir.memory.summary import (
    MAX_RUN_CHARACTERS,
    MAX_RUN_WORDS,
    MAX_SUMMARY_CHARACTERS,
    MAX_WORD_CHARACTERS,
    SOURCE_PER_SUMMARY,
    is_leaking,
    summarise_limited,
    summarise_minimal,
)

PROSE = (
    "The fee market for blobs prices space by demand. A block that carries more than the target raises the "
    "price, and one that carries less lowers it. Users who wait pay less. The update rule is exponential, so "
    "that no builder gains by splitting one block into two. Blobs are pruned after some weeks, because nodes "
    "cannot keep them for ever. Light clients check availability by sampling."
)
CHINESE = "区块链上的数据需要长期保存。节点不能永远保存所有数据。轻客户端通过抽样检查数据的可用性，因此费用很低。" * 4
NEAR_DUPLICATES = " ".join(
    f"We agreed to sell the {noun} to the bidder from the north for nine hundred." for noun in "abcdefghijkl"
)
SLIDING = " ".join(" ".join(f"w{i}" for i in range(start, start + 8)) + "." for start in range(60))

ADVERSARIAL = {
    "prose": PROSE,
    "one word": "yes",
    "two words": "attack tomorrow",
    "one sentence": "The key is under the mat by the back door.",
    "unbroken string": "x" * 5000,
    "unbroken, then words": "k" * 200 + " is the key that opens the door of the house by the sea " * 3,
    "a key in prose": PROSE + " 0123456789abcdef0123456789abcdef " + PROSE,
    "emoji": "😀🎉🔥" * 200,
    "joined emoji": "👨‍👩‍👧‍👦 " * 100,
    "Hebrew": "הסוד נמצא מתחת לשטיח ליד הדלת האחורית של הבית. " * 6,
    "Arabic, marked": "\u200fالسر تحت السجادة عند الباب الخلفي للمنزل الكبير\u200f. " * 6,
    "overridden direction": ("\u202e" + PROSE) * 2,
    "zero-width between letters": "\u200b".join(PROSE),
    "zero-width between words": PROSE.replace(" ", "\u200b"),
    "joiners inside words": "\u200d".join(PROSE),
    "soft hyphens": "\u00ad".join(PROSE),
    "Chinese": CHINESE,
    "Japanese without a stop": "吾輩は猫である名前はまだ無いどこで生れたかとんと見当がつかぬ" * 5,
    "Thai": "ความลับอยู่ใต้พรมข้างประตูหลังบ้านใหญ่ริมทะเล" * 8,
    "near-duplicates": NEAR_DUPLICATES,
    "sliding windows": SLIDING,
    "very short sentences": "Yes. No. He did. She saw. I know. We left. You stay. They ran. It ended. " * 4,
    "punctuation alone": "... --- ... " * 40,
    "words parted by dashes": PROSE.replace(" ", "—"),
    "words parted by dots": PROSE.replace(" ", "."),
    "double spaces": PROSE.replace(" ", "  "),
    "one word a line": PROSE.replace(" ", "\n"),
    "one word a paragraph": PROSE.replace(" ", "\n\n"),
    "padded with white space": "the door code is one two three four five six seven" + " " * 10_000,
    "padded with dots": "the door code is one two three four five six seven" + " ." * 5_000,
    "the joint itself": " … ".join(PROSE.split()),
    "upper and lower case": PROSE + " " + PROSE.upper(),
    "growing under case folding": "ß" * 20 + " ŉ ǰ ΐ straße " * 30,
    "one letter again and again": "a " * 500,
}


def _squeeze(text: str, keeps_punctuation: bool) -> str:
    kept = [c for c in text.casefold() if not c.isspace() and unicodedata.category(c) != "Cf"]
    return "".join(c for c in kept if keeps_punctuation or not unicodedata.category(c).startswith("P"))


def _words_of(text: str) -> list[str]:
    spaced = "".join(" " + c + " " if unicodedata.east_asian_width(c) == "W" else c for c in text.casefold())
    bare = "".join(c for c in spaced if unicodedata.category(c)[0] != "P" and unicodedata.category(c) != "Cf")
    return bare.split()


def _contains_run(needle: list[str], hay: list[str], size: int) -> bool:
    runs = {tuple(hay[i : i + size]) for i in range(len(hay) - size + 1)}
    return any(tuple(needle[i : i + size]) in runs for i in range(len(needle) - size + 1))


def _assert_safe(summary: str, text: str) -> None:
    assert len(summary) < len(text)
    assert len(summary.encode()) < len(text.encode())
    assert len(summary) <= MAX_SUMMARY_CHARACTERS
    assert all(len(word) <= MAX_WORD_CHARACTERS for word in re.findall(r"[!-~]+", summary))
    for keeps_punctuation in (True, False):
        mine, source = _squeeze(summary, keeps_punctuation), _squeeze(text, keeps_punctuation)
        assert len(mine) * SOURCE_PER_SUMMARY <= len(source)
        size = MAX_RUN_CHARACTERS + 1
        assert not any(mine[i : i + size] in source for i in range(len(mine) - size + 1))
    if "\u200b" not in text:
        assert not _contains_run(_words_of(summary), _words_of(text), MAX_RUN_WORDS + 1)
    assert not any(unicodedata.category(c) == "Cf" for c in summary)


@pytest.mark.parametrize("text", ADVERSARIAL.values(), ids=ADVERSARIAL.keys())
def test_no_adversarial_text_leaks(text: str) -> None:
    summary = summarise_limited(text)
    _assert_safe(summary, text)
    assert not is_leaking(summary, text)
    assert summarise_limited(text) == summary


@pytest.mark.parametrize("name", ["prose", "Chinese", "Hebrew", "near-duplicates", "a key in prose", "emoji"])
def test_long_enough_text_has_a_summary(name: str) -> None:
    assert summarise_limited(ADVERSARIAL[name])


UNQUOTABLE = ["one word", "two words", "one sentence", "unbroken string", "punctuation alone"]


@pytest.mark.parametrize("name", [*UNQUOTABLE, "padded with dots", "padded with white space"])
def test_what_cannot_be_quoted_has_the_empty_summary(name: str) -> None:
    assert summarise_limited(ADVERSARIAL[name]) == ""


def test_the_summary_quotes_the_lead() -> None:
    fragments = summarise_limited(PROSE).split(" … ")
    assert fragments[0] == "The fee market for blobs prices space by"
    assert all(fragment in PROSE for fragment in fragments)


def test_fragments_of_near_duplicates_do_not_add_up() -> None:
    fragments = [fragment.split() for fragment in summarise_limited(SLIDING).split(" … ")]
    seen = [word for fragment in fragments for word in fragment]
    assert len(seen) == len(set(seen))


WORDS = [
    "the",
    "key",
    "is",
    "under",
    "a",
    "mat.",
    "Yes!",
    "😀",
    "日本",
    "文。",
    "שלום",
    "ß",
    "İ",
    "ไทย",
    "0",
    "…",
]
PARTS = ["\u200b", "\u200d", "\u202e", "\u00ad", ". ", "\n", "\n\n", "# ", "- ", "  ", "e\u0301", "—"]
PIECES = st.sampled_from([*WORDS, *PARTS, "x" * 30, "x" * 200])
TEXTS = st.lists(PIECES | st.text(st.characters(exclude_categories=["Cs"]), max_size=12), max_size=120).flatmap(
    lambda pieces: st.sampled_from(["", " ", "\n"]).map(lambda joint: joint.join(pieces))
)


@given(TEXTS.filter(bool), st.integers(1, 8))
@settings(max_examples=400)
@example("the the 0⺀\U000170000 the", 7)
def test_no_text_leaks(text: str, times: int) -> None:
    repeated = text * times
    summary = summarise_limited(repeated)
    _assert_safe(summary, repeated)
    assert not is_leaking(summary, repeated)


LEAKS = {
    "the text itself": PROSE,
    "its upper case": PROSE.upper(),
    "its head": PROSE[:70],
    "nine words": "fee market for blobs prices space by demand. A",
    "nine words, parted": "fee market for blobs … prices space by demand … A",
    "nine words, with invisible characters": "fee mar\u200dket for blobs prices space by de\u00admand. A",
    "49 characters of one run": "exponential, so that no builder gains by splitting one",
    "too much in all": " … ".join(PROSE.split()[::2]),
    "a long word": "0123456789abcdef0123456789abcdef",
}


@pytest.mark.parametrize("summary", LEAKS.values(), ids=LEAKS.keys())
def test_the_check_sees_leaks(summary: str) -> None:
    assert is_leaking(summary, PROSE)


def test_the_check_lets_short_quotations_pass() -> None:
    assert not is_leaking("", PROSE)
    assert not is_leaking("fee market for blobs prices space by demand.", PROSE)


@pytest.mark.parametrize(("characters", "at_most"), [(1, 64), (64, 64), (65, 128), (128, 128), (65536, 65536)])
def test_minimal_tells_who_when_and_roughly_how_long(characters: int, at_most: int) -> None:
    summary = summarise_minimal("ann", 1_700_000_000_000, characters)
    assert (summary.author, summary.created_at_ms, summary.at_most_characters) == (
        "ann",
        1_700_000_000_000,
        at_most,
    )


@given(st.text(min_size=1, max_size=64), st.text(min_size=1, max_size=64))
def test_texts_of_one_length_class_have_one_minimal_summary(text: str, other: str) -> None:
    assert summarise_minimal("ann", 0, len(text)) == summarise_minimal("ann", 0, len(other))


def test_the_share_of_words_counts_apart_from_the_share_of_characters() -> None:
    text = " ".join(f"a{index}" for index in range(19)) + " " + "x" * 500
    assert is_leaking("a0 a1 a2 a3 a4", text)
    assert not is_leaking("a0 a1 a2 a3", text)
