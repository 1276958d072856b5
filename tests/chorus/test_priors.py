"""Which messages are given to a model, and how much of each."""

import hypothesis.strategies as st
import msgspec
import pytest
from hypothesis import given

from choir.chorus.events import PriorView
from choir.chorus.ports import ContextMessage, Done
from choir.chorus.priors import (
    CUT,
    ENOUGH,
    MAX_CONTEXT_CHARACTERS,
    MAX_PER_NAMED_THREAD,
    MAX_PER_SEARCH,
    MAX_PER_THREAD,
    MAX_PRIOR_CHARACTERS,
    MAX_PRIORS,
    MAX_QUERY_CHARACTERS,
    choose_priors,
    cut_text,
    cut_to_question,
    find_names,
    fit_context,
    is_named,
    search_query,
)
from choir.chorus.steps import Action, Step, Update
from tests.chorus.makers import make_prior

QUESTION = "Why is the market separate?"


def messages(*threads: int) -> list[PriorView]:
    return [make_prior(n, f"Message {n} of it.", thread=thread) for n, thread in enumerate(threads)]


def choose(found: list[PriorView], given: tuple[PriorView, ...] = (), question: str = QUESTION) -> list[int]:
    """The numbers of the chosen messages."""
    chosen = choose_priors(found, given, first_id=1, question=question)
    return [prior.created_at_ms for prior in chosen]


def test_at_most_three_of_a_thread() -> None:
    found = messages(1, 1, 1, 1, 2, 3, 1, 4, 4, 4, 4, 5)
    assert choose(found) == [0, 1, 2, 4, 5, 7, 8, 9, 11]


def test_few_threads_are_filled_up_in_the_search_s_order() -> None:
    assert choose(messages(1, 1, 1, 1, 1, 1, 1, 1)) == list(range(ENOUGH))
    assert choose(messages(1, 1, 1, 1, 2)) == [0, 1, 2, 3, 4]


def test_no_more_than_twelve() -> None:
    assert choose(messages(*range(40))) == list(range(MAX_PER_SEARCH))


def test_later_rounds_add_what_is_new() -> None:
    first = choose_priors(messages(1, 1, 1, 2, 3, 4), (), first_id=1, question=QUESTION)
    found = [
        *messages(1, 1, 1, 2, 3, 4),
        make_prior(50, "New of one.", thread=1),
        make_prior(60, "New of six.", thread=6),
    ]
    second = choose_priors(found, first, first_id=len(first) + 1, question=QUESTION)
    assert [(prior.id, prior.created_at_ms) for prior in second] == [("p7", 60)]


def test_equal_texts_are_given_once() -> None:
    found = [make_prior(1, "The same words."), make_prior(2, "The  same\nWORDS."), make_prior(1, "Other words.")]
    assert choose(found) == [1]
    assert choose([make_prior(3, " \n ")]) == []


def test_a_named_thread_comes_first_with_more() -> None:
    named = [
        msgspec.structs.replace(make_prior(n, f"Blob {n}.", thread=99), title="eip-4844: Blobs")
        for n in range(100, 110)
    ]
    chosen = choose([*messages(*range(9)), *named], question="Why does EIP-4844 do so?")
    assert chosen[:MAX_PER_NAMED_THREAD] == list(range(100, 100 + MAX_PER_NAMED_THREAD))
    assert len(chosen) == MAX_PER_SEARCH


@pytest.mark.parametrize(
    ("question", "names", "title", "named"),
    [
        ("Why does EIP-4844 do so?", ("EIP-4844",), "eip-4844: Blobs", True),
        ("What of EIP 4844?", ("4844",), "eip-4844: Blobs", True),
        ("Why does EIP-4844 do so?", ("EIP-4844",), "eip-7706: After EIP-4844", False),
        ("Is ERC20 or ERC-721 older?", ("ERC20", "ERC-721"), "erc-721: Tokens", True),
        ("Is p2p safe?", ("p2p",), "P2P networks", True),
        ("Why so?", (), "eip-4844: Blobs", False),
        ("Why does EIP-4844 do so?", ("EIP-4844",), None, False),
        ("Why does EIP-484 do so?", ("EIP-484",), "eip-4844: Blobs", False),
    ],
)
def test_names(question: str, names: tuple[str, ...], title: str | None, named: bool) -> None:
    assert find_names(question) == names
    assert is_named(title, question) == named


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 40)), max_size=60), st.integers(0, 23))
def test_whatever_is_found(found: list[tuple[int, int]], before: int) -> None:
    given = tuple(make_prior(1_000 + n, f"Given {n}.", thread=1_000 + n, prior_id=f"p{n + 1}") for n in range(before))
    priors = [make_prior(number, f"Text {number}.", thread=thread) for thread, number in found]
    chosen = choose_priors(priors, given, first_id=before + 1, question=QUESTION)
    assert [prior.id for prior in chosen] == [f"p{before + 1 + n}" for n in range(len(chosen))]
    assert len(chosen) <= min(MAX_PER_SEARCH, MAX_PRIORS - before)
    assert len({prior.text for prior in chosen}) == len(chosen)
    most = max((sum(one.thread_id == other.thread_id for other in chosen) for one in chosen), default=0)
    assert most <= (MAX_PER_THREAD if len(chosen) + before > ENOUGH else ENOUGH)


class TestCutting:
    def test_short_texts_stay(self) -> None:
        assert cut_text("Short.", 100) == "Short."
        assert cut_to_question("Short.", QUESTION) == "Short."

    def test_to_the_end_of_a_sentence(self) -> None:
        text = "The first one is here. The second one is here. The third one is here."
        assert cut_text(text, 55) == f"The first one is here. The second one is here. {CUT}"

    def test_else_to_the_end_of_a_word(self) -> None:
        assert cut_text("word " * 100, 23) == f"word word word word {CUT}"

    def test_to_where_the_question_s_words_are(self) -> None:
        text = "Nothing of it here. " * 400 + "The separate market is why. " + "Nothing of it here. " * 400
        cut = cut_to_question(text, QUESTION)
        assert cut.startswith(f"{CUT} The separate market is why. Nothing")
        assert cut.endswith(f"here. {CUT}")
        assert len(cut) <= MAX_PRIOR_CHARACTERS

    def test_the_beginning_where_nothing_is_better(self) -> None:
        text = "Nothing of it here. " * 400
        assert cut_to_question(text, QUESTION) == cut_text(text, MAX_PRIOR_CHARACTERS)

    @given(st.text("ab .\n#`", max_size=400), st.integers(20, 100))
    def test_never_longer_and_always_of_the_text(self, text: str, limit: int) -> None:
        for cut in (cut_text(text, limit), cut_to_question(text, "ab", limit)):
            assert len(cut) <= limit
            assert cut.removeprefix(f"{CUT} ").removesuffix(CUT).rstrip(" ") in text


def test_the_newest_messages_of_the_thread_are_given() -> None:
    long = [
        ContextMessage(content_hash=str(n), author="a", created_at_ms=n, text=f"Number {n}. " + "word " * 600)
        for n in range(20)
    ]
    kept = fit_context(long)
    assert [message.created_at_ms for message in kept] == list(range(20 - len(kept), 20))
    assert 1 < len(kept) < 20
    assert sum(len(message.text) for message in kept) <= MAX_CONTEXT_CHARACTERS


@pytest.mark.parametrize(
    ("response", "confidence", "refinements", "query"),
    [
        ("An answer.", 0.5, ("more",), "Why?\nAn answer.\nmore"),
        ("I know nothing.", 0.0, (), "Why?"),
    ],
)
def test_search_query(response: str, confidence: float, refinements: tuple[str, ...], query: str) -> None:
    update = Update(refinements=refinements, learnings=(), loop=True)
    transcript = (
        Done(step=Step.ACTION, round=1, output=Action(initial_response="Old.", confidence=1.0)),
        Done(step=Step.UPDATE, round=1, output=update),
        Done(step=Step.ACTION, round=2, output=Action(initial_response=response, confidence=confidence)),
    )
    assert search_query("Why?", transcript) == query
    assert len(search_query("Why? " * 3_000, transcript)) == MAX_QUERY_CHARACTERS
