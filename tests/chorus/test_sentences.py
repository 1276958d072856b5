"""Headings, code, tables and markup are no sentences; what is one can be found in the text again."""

import hypothesis.strategies as st
import pytest
from hypothesis import given

from choir.chorus.sentences import MAX_SENTENCE_CHARACTERS, plain_text, split_sentences


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        (
            "One is here. Two is there! Is three? Yes it is.",
            ["One is here.", "Two is there!", "Is three?", "Yes it is."],
        ),
        ("It runs on\nover lines. It ends.", ["It runs on over lines.", "It ends."]),
        ("See e.g. the rules, i.e. these. Or Fig. 2 of it.", ["See e.g. the rules, i.e. these.", "Or Fig. 2 of it."]),
        ("Version 1.5 of it costs 0.25 coins. So it is.", ["Version 1.5 of it costs 0.25 coins.", "So it is."]),
        ('He said "it is so." Then he went.', ['He said "it is so."', "Then he went."]),
        ("# A heading here\n\nA sentence here.", ["A sentence here."]),
        ("A heading here\n====\n\nA sentence here.", ["A heading here", "A sentence here."]),
        ("Before it.\n\n```python\nx = 1. Not a sentence.\n```\n\nAfter it.", ["Before it.", "After it."]),
        ("Before it.\n\n~~~\n```\nStill code. Really so.\n~~~\n\nAfter it.", ["Before it.", "After it."]),
        ("Before it.\n\n    indented code. It is no prose.\n\nAfter it.", ["Before it.", "After it."]),
        ("| a | b |\n|---|---|\n| One is. | Two is. |\n\nAfter it.", ["After it."]),
        (
            "- the first item\n- the second. It has two.\n\n  More of it.",
            ["the first item", "the second.", "It has two.", "More of it."],
        ),
        ("1. first of these\n2. second of these", ["first of these", "second of these"]),
        (
            "A [link here](https://x.example/a_(b)) and **bold _words_** and `code_x`.",
            ["A link here and bold words and code_x."],
        ),
        ("![a picture](x.png) It is shown.", ["It is shown."]),
        ("[ref]: https://x.example/\n\nA sentence here.", ["A sentence here."]),
        ("<!-- hidden words. Not here. -->\n\nA sentence here.", ["A sentence here."]),
        ("---\ntitle: A thing\nstatus: Final\n---\n\nA sentence here.", ["A sentence here."]),
        ("> A quotation\n> of two lines.", ["A quotation of two lines."]),
        ("***\n\nA sentence here.\n\n---", ["A sentence here."]),
        ("word", []),
        ("", []),
        ("我们需要一个单独的费用市场。因为数据不被执行。", ["我们需要一个单独的费用市场。", "因为数据不被执行。"]),
    ],
)
def test_sentences(text: str, sentences: list[str]) -> None:
    assert [sentence.plain for sentence in split_sentences(text)] == sentences


def test_the_heading_above() -> None:
    found = split_sentences(
        "First of all.\n\n## Why **so**\n\nBecause of it.\n\n- an item here\n\n# Next\n\nAnd that too."
    )
    assert [(one.heading, one.place) for one in found] == [("", 0), ("Why so", 1), ("Why so", 2), ("Next", 3)]


def test_paragraphs() -> None:
    found = split_sentences("One of it. Two of it.\n\nThree of it.\n- four of it\n- five of it")
    assert [one.paragraph for one in found] == [0, 0, 1, 2, 3]


@given(st.text(max_size=300) | st.text("ab .!?#*-_`|[]()<>~\n\t1:", max_size=300))
def test_a_sentence_stands_where_it_says(text: str) -> None:
    last = 0
    for number, sentence in enumerate(split_sentences(text)):
        assert last <= sentence.start < sentence.end <= len(text)
        assert plain_text(text[sentence.start : sentence.end]) == sentence.plain
        assert "\n" not in sentence.plain
        assert len(sentence.plain) <= MAX_SENTENCE_CHARACTERS
        assert sentence.place == number
        last = sentence.end


@pytest.mark.parametrize(
    "text",
    [
        "[" * 20_000,
        "](" * 10_000,
        "*" * 20_000,
        "a. " * 7_000,
        "<" * 20_000,
        "`" * 20_000,
        "- " * 10_000,
        "[]" * 10_000,
        "[a" * 10_000,
        "![" * 10_000,
        " " * 20_000,
        "<!--" * 5_000,
        "---\n" * 5_000,
    ],
)
def test_odd_texts_cost_little(text: str) -> None:
    split_sentences(text)


@pytest.mark.parametrize(
    ("markdown", "plain"),
    [
        ("As [1] says, it is so [2].", "As […] says, it is so."),
        (r"A pond holds $E = \tfrac12 \rho g R^2$.", r"A pond holds $E = \tfrac12 \rho g R^2$."),
        (r"Two \*stars\* and \# a hash.", "Two stars and # a hash."),
    ],
)
def test_marks_and_formulas(markdown: str, plain: str) -> None:
    assert plain_text(markdown) == plain
