"""What is withheld from a kept run: everything that a hidden message may stand in, and nothing else."""

import msgspec
import pytest

from choir.chorus.events import PriorsFound, PriorsRemoved, RunFailed, RunFinished, StepFinished
from choir.chorus.steps import Action, Experience, Intention, Observation, Step, Update, Yield
from choir.chorus.veil import WITHHELD, Span, compute_spans, is_veiled, strip_texts, veil
from tests.chorus.events import SECRET, finished, make_prior, make_run

HASH, OTHER = "11" * 32, "22" * 32


def words(events: object) -> str:
    return msgspec.json.encode(events).decode()


def test_everything_after_a_hidden_message_was_given_is_withheld() -> None:
    events = make_run(HASH)
    spans = compute_spans((), events)
    assert spans == {HASH: Span(5)}
    veiled = [veil(event, spans) for event in events]
    assert SECRET not in words(veiled)
    assert veiled[:4] == events[:4], "what was written before is not touched"
    found = veiled[4]
    assert isinstance(found, PriorsFound)
    assert (found.query, found.priors[0].content_hash, found.priors[0].similarity) == ("why?", HASH, None)
    ending = veiled[-1]
    assert isinstance(ending, RunFinished)
    assert (ending.answer, ending.citations, ending.confidence) == (WITHHELD, (), 0.5)


def test_nothing_is_withheld_while_all_may_be_read() -> None:
    events = make_run(HASH)
    assert [veil(event, {}) for event in events] == events


def test_a_message_of_the_thread_stands_in_everything() -> None:
    events = make_run(HASH)
    veiled = [veil(event, {OTHER: Span(0)}) for event in events]
    first_step = veiled[3]
    assert isinstance(first_step, StepFinished)
    assert first_step.output == Action(initial_response=WITHHELD, confidence=0.1)
    assert veiled[0] == events[0], "the question is the owner's own"


def test_what_was_written_again_without_a_message_may_stay() -> None:
    events = [*make_run(HASH)[:7], PriorsRemoved(number=8, at_ms=9, priors=("p1",)), *_second_pass()]
    spans = compute_spans((), events)
    assert spans[HASH] == Span(5, 8)
    hidden = {HASH: spans[HASH]}
    assert is_veiled(events[6], hidden)
    assert not is_veiled(events[-1], hidden)
    assert veil(events[-1], hidden) == events[-1]


def test_a_message_given_again_counts_from_its_first_time_on() -> None:
    again = PriorsFound(number=11, at_ms=12, query="q", priors=(make_prior(HASH, "p3", SECRET),))
    events = [*make_run(HASH)[:5], PriorsRemoved(number=8, at_ms=9, priors=("p1", "p99")), again]
    assert compute_spans((), events) == {HASH: Span(5)}


def test_a_message_that_is_context_too_is_never_taken_out() -> None:
    events = [*make_run(HASH)[:5], PriorsRemoved(number=8, at_ms=9, priors=("p1",))]
    assert compute_spans((HASH,), events) == {HASH: Span(0)}


def test_kept_events_hold_no_text_of_messages() -> None:
    found = strip_texts(make_run(HASH)[4])
    assert SECRET not in words(found)
    assert isinstance(found, PriorsFound)
    assert found.priors[0].content_hash == HASH


@pytest.mark.parametrize(
    "output",
    [
        Experience(citations=(), patterns=(SECRET,), insights=(SECRET,)),
        Intention(goals=(SECRET,), constraints=(SECRET,), expected_outcomes=(SECRET,)),
        Observation(analysis=SECRET, patterns=(SECRET,), quality=0.5),
        Update(refinements=(SECRET,), learnings=(SECRET,), loop=True),
        Yield(final_response=SECRET, citations=(), confidence=0.5),
    ],
    ids=lambda output: type(output).__name__,
)
def test_every_kind_of_output_is_withheld(output: Yield) -> None:
    veiled = veil(finished(9, Step.YIELD, output), {HASH: Span(5)})
    assert SECRET not in words(veiled)
    assert msgspec.json.decode(msgspec.json.encode(veiled), type=StepFinished) == veiled


def test_a_failure_says_nothing_of_it_either() -> None:
    failed = RunFailed(number=9, at_ms=1, step=None, error="ModelFailed", message=SECRET)
    assert SECRET not in words(veil(failed, {HASH: Span(5)}))


def _second_pass() -> list[StepFinished]:
    return [finished(10, Step.YIELD, Yield(final_response="Nothing known.", citations=(), confidence=0.0))]
