"""Stems, as in the sample vocabulary of https://snowballstem.org/algorithms/english/stemmer.html."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from choir.primitives.stemming import stem

SAMPLE = {
    "consign": "consign",
    "consigned": "consign",
    "consistency": "consist",
    "consolation": "consol",
    "knaves": "knave",
    "kneeling": "kneel",
    "knightly": "knight",
    "knotted": "knot",
    "skies": "sky",
    "dying": "die",
    "news": "news",
    "größe": "größe",
    "0x1f": "0x1f",
    "": "",
}


@pytest.mark.parametrize(("word", "expected"), SAMPLE.items())
def test_a_word_has_its_stem(word: str, expected: str) -> None:
    assert stem(word) == expected


def test_threads_do_not_disturb_each_other() -> None:
    words = [f"{word}{number}ing" for number in range(2_000) for word in ("knott", "consol", "dy")]
    expected = [stem(word) for word in words]
    stem.cache_clear()
    with ThreadPoolExecutor(4) as threads:
        assert list(threads.map(stem, words)) == expected
