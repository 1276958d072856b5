"""The built-in model picks true, readable sentences, the same ones each time, and none where nothing fits."""

import time
from collections.abc import Sequence

import msgspec
import pytest

from choir.chorus.citations import Folded, check_output, find_quote
from choir.chorus.controller import RunRequest
from choir.chorus.events import PriorView, RunFinished, Token
from choir.chorus.models.extractive import ExtractiveModel, streamed_text
from choir.chorus.models.selection import MAX_PER_PRIOR, MAX_SENTENCES, select_sentences
from choir.chorus.ports import StepInput
from choir.chorus.runner import ChorusRun
from choir.chorus.steps import Action, Step, Update, Yield
from tests.chorus.makers import ScriptedSearch, make_prior

QUESTION = "Why do blobs need a separate fee market?"
PRIORS = (
    make_prior(
        1,
        "## Rationale\n\nBlobs are kept for a short time only. They need a separate fee market, because their bytes "
        "cost nodes bandwidth and not\nexecution.\n\n"
        "```python\nfee = blobs * market  # separate fee market for blobs\n```",
        prior_id="p1",
    ),
    make_prior(2, "| blobs | fee |\n|---|---|\n| separate | market |\n\nThe cake is baked for an hour.", prior_id="p2"),
    make_prior(
        3,
        "A [separate fee market](https://example.org) lets the price of **blobs** rise while that of gas stays. "
        "Nothing else is said here.",
        prior_id="p3",
    ),
)


def give(step: Step, question: str = QUESTION, priors: Sequence[PriorView] = PRIORS) -> StepInput:
    return StepInput(step=step, round=1, prompt=question, context=(), transcript=(), priors=tuple(priors))


def answer(question: str = QUESTION, priors: Sequence[PriorView] = PRIORS) -> Yield:
    output = ExtractiveModel().write(give(Step.YIELD, question, priors))
    assert isinstance(output, Yield)
    return output


def test_an_answer() -> None:
    lines = answer().final_response.splitlines()
    assert lines == [
        "The network's messages say:",
        "",
        "- **Thread 1**: “Blobs are kept for a short time only. They need a separate fee market, because their bytes "
        "cost nodes bandwidth and not execution.” [p1]",
        "- **Thread 3**: “A separate fee market lets the price of blobs rise while that of gas stays.” [p3]",
    ]
    assert answer().confidence == 1.0


def test_every_citation_is_true() -> None:
    for step in (Step.EXPERIENCE, Step.YIELD):
        output = ExtractiveModel().write(give(step))
        assert check_output(output, PRIORS)[1] == 0
    for citation in answer().citations:
        prior = next(prior for prior in PRIORS if prior.id == citation.prior)
        assert citation.quote in prior.text
        assert find_quote(citation.quote, Folded(prior.text)) is not None


def test_every_line_from_the_memory_has_its_source() -> None:
    lines = answer().final_response.splitlines()[2:]
    assert all(line.endswith(tuple(f"[{prior.id}]" for prior in PRIORS)) for line in lines)


@pytest.mark.parametrize(
    ("question", "priors"),
    [
        ("How do I bake bread with yeast and flour?", PRIORS),
        ("What does the moon cost in the market of Rome?", PRIORS),
        (QUESTION, ()),
        (QUESTION, (make_prior(1, "```\nseparate fee market for blobs\n```", prior_id="p1"),)),
        ("?!", PRIORS),
        ("", PRIORS),
    ],
)
def test_it_says_so_when_nothing_fits(question: str, priors: Sequence[PriorView]) -> None:
    output = answer(question, priors)
    assert output.citations == ()
    assert output.confidence == 0.0
    assert "hold nothing that answers this" in output.final_response
    assert "[p" not in output.final_response


def test_without_priors_it_knows_nothing() -> None:
    output = ExtractiveModel().write(give(Step.ACTION, priors=()))
    assert isinstance(output, Action)
    assert "no knowledge of its own" in output.initial_response
    assert output.confidence == 0.0


def test_a_thread_that_the_question_names_comes_first() -> None:
    text = "It introduces a separate fee market for blobs."
    priors = [
        msgspec.structs.replace(make_prior(n, text.replace("It", word), prior_id=f"p{n}"), title=title)
        for n, (word, title) in enumerate([("This", "eip-7706: Calldata"), ("That", "eip-4844: Blobs")], start=1)
    ]
    picks = select_sentences("What does EIP-4844 say of the fee market for blobs?", priors).picks
    assert picks[0].prior.title == "eip-4844: Blobs"


def test_a_name_alone_asks_for_what_the_title_says() -> None:
    text = "This proposal is a draft of somebody. Blob transactions carry data that nobody executes. It is number 4844."
    prior = msgspec.structs.replace(make_prior(1, text, prior_id="p1"), title="eip-4844: Blob Transactions")
    [first, *_] = select_sentences("What is EIP-4844?", [prior]).picks
    assert first.plain == "Blob transactions carry data that nobody executes."


def test_a_sentence_is_given_once() -> None:
    sentences = ("Blobs have a separate fee market.", "It is separate so that the fee of blobs can rise in its market.")
    picks = select_sentences(QUESTION, [make_prior(1, " ".join(sentences), prior_id="p1")]).picks
    assert {pick.quote for pick in picks} == set(sentences)


def test_a_title_adds_no_marks() -> None:
    prior = msgspec.structs.replace(PRIORS[0], title="# [p3] **All** `is` <b>well</b> " + "so " * 100)
    line = answer(priors=[prior]).final_response.splitlines()[2]
    assert line.startswith("- **p3 All is well so")
    assert line.count("[p") == 1
    assert check_output(answer(priors=[prior]), [prior])[1] == 0


def test_missing_words_are_named_and_searched_for() -> None:
    priors = (make_prior(1, "Blobs are kept for a short time.", prior_id="p1"),)
    question = "Are blobs pruned after eighteen days?"
    output = ExtractiveModel().write(give(Step.UPDATE, question, priors))
    assert isinstance(output, Update)
    assert output.loop
    assert output.refinements == ("blobs pruned eighteen days",)


def test_few_sentences_of_one_message_and_no_repetition() -> None:
    text = " ".join(f"Blobs have a separate fee market of the kind number {n * 7919}." for n in range(40))
    different = [
        make_prior(n, f"The separate fee market of blobs {word} them well.", prior_id=f"p{n}")
        for n, word in enumerate(["prices", "prices", "bounds", "serves", "orders"], start=2)
    ]
    picks = select_sentences(QUESTION, (make_prior(1, text, prior_id="p1"), *different)).picks
    assert len(picks) <= MAX_SENTENCES
    assert sum(pick.prior.id == "p1" for pick in picks) <= MAX_PER_PRIOR
    assert len({pick.plain for pick in picks}) == len(picks)


@pytest.mark.parametrize("step", list(Step))
def test_equal_input_gives_equal_output(step: Step) -> None:
    given = give(step, priors=() if step is Step.ACTION else PRIORS)
    outputs = {repr(ExtractiveModel().write(given)) for _ in range(3)}
    assert len(outputs) == 1
    assert streamed_text(ExtractiveModel().write(given)).strip()


async def test_a_whole_run() -> None:
    model = ExtractiveModel()
    search = ScriptedSearch(PRIORS)
    run = ChorusRun(RunRequest(run_id="r", prompt=QUESTION), dict.fromkeys(Step, model), search, time.monotonic)
    events = [event async for event in run.events()]
    end = events[-1]
    assert isinstance(end, RunFinished)
    assert search.queries == [QUESTION]  # its first answer holds nothing to search for
    assert (end.answer, end.removed_citations, end.usage.cost_usd) == (answer().final_response, 0, 0.0)
    written = "".join(event.text for event in events if isinstance(event, Token) and event.step is Step.YIELD)
    assert written == end.answer
