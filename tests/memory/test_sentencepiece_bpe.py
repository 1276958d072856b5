"""Our byte pair encoding against the tokenizer library, token for token."""

import importlib.util
from pathlib import Path

import msgspec
import pytest
import tokenizers
from hypothesis import given
from hypothesis import strategies as st

from choir.memory.embedders.sentencepiece_bpe import Tokenizer

FILE = Path(next(iter(importlib.util.find_spec("wordllama").submodule_search_locations))) / "tokenizers"
FILE = FILE / "l2_supercat_tokenizer_config.json"
MODEL = msgspec.json.decode(FILE.read_bytes())["model"]
OURS = Tokenizer(MODEL["vocab"], MODEL["merges"], ("<unk>", "<s>", "</s>"))
THEIRS = tokenizers.Tokenizer.from_file(str(FILE))
THEIRS.no_padding()
CHARACTERS = st.one_of(
    st.sampled_from(" \u2581\n\taeinst.,(){}<>0123"), st.characters(codec="utf-8"), st.characters(codec="ascii")
)


def expected(text: str) -> list[int]:
    ids: list[int] = THEIRS.encode(text, add_special_tokens=False).ids
    return ids


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "A fee market for data blobs",
        "two  spaces,   three\n\n    an indented line",
        "\u2581\u2581already\u2581marked",
        "<s>begun</s> and <unk> known, < s> not",
        "ab" * 500,
        "0x" + "f00dcafe" * 100,
        "naïve Überraschung 日本語 🦀 \u0301",
        Path(__file__).read_text("utf-8"),
    ],
)
def test_agrees_with_the_library(text: str) -> None:
    assert OURS.encode(text) == expected(text)


@given(st.text(CHARACTERS, max_size=60))
def test_agrees_with_the_library_on_any_text(text: str) -> None:
    assert OURS.encode(text) == expected(text)
