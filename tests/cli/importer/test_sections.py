"""Cutting Markdown at headings and below a size."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from choir.cli.importer.sections import TEXT_LIMIT_BYTES, split_sections, split_text
from choir.memory.text import MAX_TEXT_BYTES


def titles(markdown: str, wanted: int = 1) -> list[str]:
    return [section.title for section in split_sections(markdown, wanted)]


@pytest.mark.parametrize(
    ("markdown", "expected"),
    [
        ("## A\ntext\n## B\ntext", ["A", "B"]),
        ("before\n\n## A\n## B", ["", "A", "B"]),
        ("# Title\n\n## A\n\n## B", ["Title", "A", "B"]),
        ("# A\n## a\n# B", ["A", "B"]),
        ("### A\n### B", ["A", "B"]),
        ("no heading", [""]),
        ("## One\ntext", ["One"]),
        ("```\n## code\n```\n## A\n~~~\n## code\n~~~\n## B", ["", "A", "B"]),
        ("````\n```\n## code\n````\n## A\n## B", ["", "A", "B"]),
        ("    ## indented\n\n## A\n\n## B", ["", "A", "B"]),
        ("First\n=====\ntext\n\nSecond\n======", ["First", "Second"]),
        ("First\n-----\ntext\n\nSecond\n------", ["First", "Second"]),
        ("## A\n\n| a | b |\n---\n\n- item\n---\n## B", ["A", "B"]),
        ("## A ##\n##B is text\n## C", ["A", "C"]),
        ("", []),
    ],
)
def test_headings(markdown: str, expected: list[str]) -> None:
    assert titles(markdown) == expected


def test_more_sections_are_found_deeper_when_wanted() -> None:
    markdown = "## A\n### a\n### b\n#### x\n## B"
    assert titles(markdown) == ["A", "B"]
    assert titles(markdown, wanted=3) == ["A", "a", "b", "B"]
    assert titles(markdown, wanted=5) == ["A", "a", "b", "x", "B"]
    assert titles(markdown, wanted=99) == ["A", "a", "b", "x", "B"]


def test_no_text_is_lost() -> None:
    markdown = "intro\n\n## A\ntext a\n\n### deeper\n\n## B\ntext b"
    joined = "\n".join(section.text for section in split_sections(markdown))
    assert joined.split() == markdown.split()


def test_the_limit_is_the_nodes() -> None:
    assert TEXT_LIMIT_BYTES == MAX_TEXT_BYTES


@pytest.mark.parametrize(
    ("text", "limit", "pieces"),
    [
        ("short", 10, ["short"]),
        ("one one\n\ntwo two", 10, ["one one", "two two"]),
        ("one one\ntwo two", 10, ["one one", "two two"]),
        ("oneonetwotwo", 6, ["oneone", "twotwo"]),
        ("ééé", 4, ["éé", "é"]),
        ("\n\n\n\nabc", 4, ["abc"]),
    ],
)
def test_pieces(text: str, limit: int, pieces: list[str]) -> None:
    assert split_text(text, limit) == pieces


@given(st.text(alphabet=st.sampled_from("ab \né漢\U0001f600#"), max_size=80), st.integers(min_value=8, max_value=30))
def test_pieces_fit_and_keep_every_visible_character(text: str, limit: int) -> None:
    pieces = split_text(unicodedata.normalize("NFC", text), limit)
    assert all(0 < len(piece.encode()) <= limit and piece.strip() for piece in pieces)
    assert "".join("".join(pieces).split()) == "".join(unicodedata.normalize("NFC", text).split())
