"""The rules of a run, one by one."""

from collections.abc import Callable
from typing import TypeVar

import pytest

from choir.chorus.controller import (
    Abandon,
    Cancel,
    CheckRights,
    Controller,
    Effect,
    Emit,
    Failed,
    Found,
    Input,
    Readable,
    RunRequest,
    RunStep,
    Search,
)
from choir.chorus.errors import ModelRateLimited, ModelUnreachable, RunTooLong, SearchFailed
from choir.chorus.events import (
    ENDINGS,
    AnyRunEvent,
    PriorsFound,
    PriorsRemoved,
    PriorView,
    RunCancelled,
    RunFailed,
    RunFinished,
    RunStarted,
    StepFailed,
    StepFinished,
    StepStarted,
    Token,
    Usage,
)
from choir.chorus.ports import ContextMessage, StepInput, StepResult, TextDelta
from choir.chorus.steps import Action, AnyOutput, Citation, Step, Yield
from tests.chorus.makers import QUOTE, make_output, make_prior, make_priors

PROMPT = "Why a separate market?"
MODELS = dict.fromkeys(Step, "model")
Kind = TypeVar("Kind")
Writer = Callable[[StepInput], Input]


def write(given: StepInput) -> Input:
    return StepResult(output=make_output(given.step), usage=Usage(input_tokens=10, output_tokens=1, cost_usd=0.5))


class Play:
    """Plays a run to its end. ``at_ms`` rises by 10 with each input."""

    def __init__(
        self, priors: tuple[PriorView, ...] = make_priors(3), context: tuple[ContextMessage, ...] = ()
    ) -> None:
        request = RunRequest(run_id="run", prompt=PROMPT, thread_id="t", context=context)
        self.controller = Controller(request, MODELS, is_extractive=False)
        self.priors = priors
        self.readable: list[frozenset[str]] = []
        self.events: list[AnyRunEvent] = []
        self.asked: list[Effect] = []
        self.at_ms = 0

    def run(self, writer: Writer = write, *, find: Callable[[Search], Input] | None = None) -> "Play":
        effect = self.take(self.controller.start(0))
        while effect is not None:
            effect = self.give(self._answer(effect, writer, find))
        return self

    def give(self, given: Input) -> Effect | None:
        self.at_ms += 10
        return self.take(self.controller.receive(given, self.at_ms))

    def take(self, effects: list[Effect]) -> Effect | None:
        self.events += [effect.event for effect in effects if isinstance(effect, Emit)]
        asked = [effect for effect in effects if not isinstance(effect, Emit)]
        assert len(asked) <= 1
        self.asked += asked
        return asked[0] if asked else None

    def _answer(self, effect: Effect, writer: Writer, find: Callable[[Search], Input] | None) -> Input:
        match effect:
            case RunStep():
                return writer(effect.given)
            case Search():
                return find(effect) if find else Found(self.priors)
            case CheckRights():
                return Readable(self.readable.pop(0) if self.readable else frozenset(effect.content_hashes))
        raise AssertionError(effect)

    def of(self, kind: type[Kind]) -> list[Kind]:
        return [event for event in self.events if isinstance(event, kind)]

    @property
    def inputs(self) -> list[StepInput]:
        return [effect.given for effect in self.asked if isinstance(effect, RunStep)]

    @property
    def steps(self) -> list[str]:
        return [given.step.value for given in self.inputs]


def looping(qualities: list[float], loops: int = 99) -> Writer:
    """Updates ask for another round ``loops`` times; observations give the qualities in turn."""
    left = [loops]
    rest = list(qualities)

    def writer(given: StepInput) -> Input:
        if given.step is Step.OBSERVATION:
            return StepResult(output=make_output(given.step, quality=rest.pop(0)))
        if given.step is Step.UPDATE:
            left[0] -= 1
            return StepResult(output=make_output(given.step, loop=left[0] >= 0))
        return write(given)

    return writer


def failing(step: Step, times: int) -> Writer:
    left = [times]

    def writer(given: StepInput) -> Input:
        if given.step is step and left[0] > 0:
            left[0] -= 1
            return Failed(ModelUnreachable("no connection"))
        return write(given)

    return writer


def test_a_run_takes_the_six_steps_in_order() -> None:
    play = Play().run()
    assert play.steps == [step.value for step in Step]
    assert [type(event) for event in play.events if not isinstance(event, StepStarted | StepFinished)] == [
        RunStarted,
        PriorsFound,
        RunFinished,
    ]
    assert [event.step for event in play.of(StepFinished)] == list(Step)
    assert [event.number for event in play.events] == list(range(1, len(play.events) + 1))
    [end] = play.of(RunFinished)
    assert (end.answer, end.rounds, end.removed_citations, end.confidence) == ("An answer [p1].", 1, 0, 0.8)
    assert [(one.prior, one.quote, one.proof) for one in end.citations] == [("p1", QUOTE, "/v1/proofs/1")]
    assert end.usage == Usage(input_tokens=60, output_tokens=6, cost_usd=3.0)


def test_every_step_sees_the_whole_transcript() -> None:
    context = (ContextMessage(content_hash="c", author="a", created_at_ms=1, text="What came before."),)
    play = Play(context=context).run(looping([0.2, 0.4], loops=1))
    for place, given in enumerate(play.inputs):
        assert given.prompt == PROMPT
        assert given.context == context
        assert [done.step for done in given.transcript] == [earlier.step for earlier in play.inputs[:place]]
        assert [done.output for done in given.transcript] == [done.output for done in play.of(StepFinished)][:place]


def test_only_action_sees_no_priors() -> None:
    play = Play().run(looping([0.2, 0.4], loops=1))
    for given in play.inputs:
        assert [prior.id for prior in given.priors] == ([] if given.step is Step.ACTION else ["p1", "p2", "p3"])


def test_the_memory_is_searched_after_action_with_its_answer() -> None:
    play = Play().run(looping([0.2, 0.4], loops=1))
    assert [type(effect) for effect in play.asked[:3]] == [RunStep, Search, RunStep]
    queries = [effect.query for effect in play.asked if isinstance(effect, Search)]
    assert queries == [f"{PROMPT}\nA first answer.", f"{PROMPT}\nA first answer.\nreasons for blobs"]


def test_ids_stay_the_same_over_rounds() -> None:
    rounds = [make_priors(2), (make_prior(9, "Something new is said here."), *make_priors(3))]
    play = Play().run(looping([0.2, 0.4], loops=1), find=lambda _: Found(rounds.pop(0)))
    first, second = play.of(PriorsFound)
    assert [(prior.id, prior.content_hash) for prior in first.priors] == [("p1", f"{1:064x}"), ("p2", f"{2:064x}")]
    assert [(prior.id, prior.content_hash) for prior in second.priors] == [("p3", f"{9:064x}"), ("p4", f"{3:064x}")]
    assert play.inputs[-1].priors == first.priors + second.priors


@pytest.mark.parametrize(
    ("qualities", "wanted_loops", "rounds"),
    [
        ([0.5], 0, 1),
        ([0.2, 0.4], 1, 2),
        ([0.2, 0.4, 0.6, 0.8], 3, 4),
        ([0.1, 0.2, 0.3, 0.4], 99, 4),  # never more than three loops
        ([0.5, 0.5], 99, 2),  # a loop that does not raise the quality is the last
        ([0.5, 0.4], 99, 2),
        ([0.1, 0.3, 0.3], 99, 3),
    ],
)
def test_loops(qualities: list[float], wanted_loops: int, rounds: int) -> None:
    play = Play().run(looping(qualities, wanted_loops))
    assert play.steps == [step.value for step in list(Step)[:-1]] * rounds + ["yield"]
    [end] = play.of(RunFinished)
    assert end.rounds == rounds
    assert {event.round for event in play.of(StepStarted)} == set(range(1, rounds + 1))


@pytest.mark.parametrize("step", list(Step))
def test_a_failed_step_is_tried_once_more(step: Step) -> None:
    play = Play().run(failing(step, 1))
    [failure] = play.of(StepFailed)
    assert (failure.step, failure.attempt, failure.error, failure.will_retry) == (step, 1, "ModelUnreachable", True)
    assert [event.attempt for event in play.of(StepStarted) if event.step is step] == [1, 2]
    assert isinstance(play.events[-1], RunFinished)
    first, second = [given for given in play.inputs if given.step is step]
    assert first == second


@pytest.mark.parametrize("step", list(Step))
def test_a_step_that_fails_twice_ends_the_run(step: Step) -> None:
    play = Play().run(failing(step, 2))
    assert [event.will_retry for event in play.of(StepFailed)] == [True, False]
    end = play.events[-1]
    assert isinstance(end, RunFailed)
    assert (end.step, end.error, end.message) == (step, "ModelUnreachable", "no connection")
    assert step not in [event.step for event in play.of(StepFinished)]


def test_a_failed_search_is_tried_once_more() -> None:
    answers: list[Input] = [Failed(SearchFailed("busy")), Found(make_priors(1))]
    assert isinstance(Play().run(find=lambda _: answers.pop(0)).events[-1], RunFinished)
    end = Play().run(find=lambda _: Failed(SearchFailed("busy"))).events[-1]
    assert isinstance(end, RunFailed)
    assert (end.step, end.error) == (Step.EXPERIENCE, "SearchFailed")


def test_the_retry_waits_as_the_provider_asks() -> None:
    errors: list[Input] = [Failed(ModelRateLimited("slower", 7.0))]
    play = Play().run(lambda given: errors.pop() if errors else write(given))
    assert [effect.wait_seconds for effect in play.asked if isinstance(effect, RunStep)][:3] == [0.0, 7.0, 0.0]
    assert ModelRateLimited("slower", 10_000.0).wait_seconds == 30.0
    assert ModelRateLimited("slower", -1.0).wait_seconds == 0.0


def test_an_output_of_another_step_is_a_failure() -> None:
    def writer(given: StepInput) -> Input:
        return StepResult(output=make_output(Step.ACTION if given.step is Step.INTENTION else given.step))

    end = Play().run(writer).events[-1]
    assert isinstance(end, RunFailed)
    assert (end.step, end.error) == (Step.INTENTION, "ModelAnswerInvalid")


@pytest.mark.parametrize("inputs", range(12))
def test_cancelling_ends_the_run_at_any_moment(inputs: int) -> None:
    play = Play()
    effect = play.take(play.controller.start(0))
    for _ in range(inputs):
        if effect is None:
            break
        effect = play.give(play._answer(effect, write, None))
    is_over = play.controller.is_over
    assert play.give(Cancel()) is None
    assert isinstance(play.events[-1], RunFinished if is_over else RunCancelled)
    assert sum(isinstance(event, ENDINGS) for event in play.events) == 1
    assert play.controller.receive(TextDelta("late"), 10_000) == []


def test_a_run_can_be_abandoned() -> None:
    play = Play()
    play.take(play.controller.start(0))
    play.give(Abandon(RunTooLong("too long")))
    end = play.events[-1]
    assert isinstance(end, RunFailed)
    assert (end.step, end.error, end.message) == (None, "RunTooLong", "too long")


def test_tokens_and_times() -> None:
    play = Play()
    play.take(play.controller.start(0))
    play.give(TextDelta("A "))  # at 10 ms
    play.give(TextDelta("word"))
    play.give(StepResult(output=make_output(Step.ACTION)))  # at 30 ms
    assert [(token.step, token.text) for token in play.of(Token)] == [(Step.ACTION, "A "), (Step.ACTION, "word")]
    [done] = play.of(StepFinished)
    assert (done.first_token_ms, done.model_ms, done.took_ms) == (10, 30, 30)
    play.give(Found(()))  # at 40 ms
    play.give(Failed(ModelUnreachable("gone")))  # at 50 ms
    play.give(StepResult(output=make_output(Step.EXPERIENCE)))  # at 60 ms
    done = play.of(StepFinished)[-1]
    assert (done.first_token_ms, done.model_ms, done.took_ms) == (None, 10, 30)


def test_false_citations_are_removed_and_counted() -> None:
    citations = (
        Citation(prior="p1", quote=QUOTE),
        Citation(prior="p9", quote=QUOTE),
        Citation(prior="p2", quote="words that nobody wrote"),
    )
    answer = Yield(final_response="One [p1], two [p2], nine [p9].", citations=citations, confidence=1.0)

    def writer(given: StepInput) -> Input:
        return StepResult(output=answer if given.step is Step.YIELD else make_output(given.step))

    play = Play().run(writer)
    [end] = play.of(RunFinished)
    assert end.answer == "One [p1], two, nine."
    assert [one.prior for one in end.citations] == ["p1"]
    assert end.removed_citations == 4
    assert play.of(StepFinished)[-1].removed_citations == 4


def test_no_cost_where_one_is_unknown() -> None:
    def writer(given: StepInput) -> Input:
        cost = None if given.step is Step.UPDATE else 1.0
        return StepResult(output=make_output(given.step), usage=Usage(input_tokens=1, cost_usd=cost))

    [end] = Play().run(writer).of(RunFinished)
    assert end.usage == Usage(input_tokens=6, output_tokens=0, cost_usd=None)


class TestLostRights:
    def test_the_answer_is_written_again_without_what_was_lost(self) -> None:
        play = Play()
        play.readable = [frozenset({f"{2:064x}", f"{3:064x}"})]

        def writer(given: StepInput) -> Input:
            output: AnyOutput = make_output(given.step)
            if isinstance(output, Yield) and given.round > 1:
                output = Yield(final_response="Again [p2].", citations=(Citation("p2", QUOTE),), confidence=0.5)
            return StepResult(output=output, usage=Usage(input_tokens=1))

        def find(effect: Search) -> Input:
            return Found(make_priors(3) if not play.of(PriorsFound) else make_priors(3)[1:])

        play.run(writer, find=find)
        assert play.of(PriorsRemoved)[0].priors == ("p1",)
        [end] = play.of(RunFinished)
        assert (end.answer, end.rounds, end.usage.input_tokens) == ("Again [p2].", 2, 11)
        # Nothing that had seen the lost message is given to a model again.
        again = [given for given in play.inputs if given.round == 2]
        assert [given.step for given in again] == list(Step)[1:]
        for given in again:
            assert [prior.id for prior in given.priors] == ["p2", "p3"]
            assert [done.round for done in given.transcript] == [1] + [2] * (len(given.transcript) - 1)
        assert isinstance(again[0].transcript[0].output, Action)
        # The yield that was built on it was never given out.
        assert [event.round for event in play.of(StepFinished) if event.step is Step.YIELD] == [2]

    def test_losing_rights_twice_ends_the_run(self) -> None:
        play = Play()
        play.readable = [frozenset({f"{2:064x}", f"{3:064x}"}), frozenset({f"{3:064x}"})]
        play.run(find=lambda _: Found(() if play.of(PriorsFound) else make_priors(3)))
        assert [event.priors for event in play.of(PriorsRemoved)] == [("p1",), ("p2",)]
        end = play.events[-1]
        assert isinstance(end, RunFailed)
        assert end.error == "PriorsWithdrawn"

    def test_losing_the_thread_ends_the_run(self) -> None:
        context = (ContextMessage(content_hash="c", author="a", created_at_ms=1, text="What came before."),)
        play = Play(context=context, priors=())
        play.readable = [frozenset()]
        end = play.run().events[-1]
        assert isinstance(end, RunFailed)
        assert end.error == "PriorsWithdrawn"
        assert [effect for effect in play.asked if isinstance(effect, CheckRights)] == [CheckRights(("c",))]

    def test_no_answer_while_rights_cannot_be_asked(self) -> None:
        play = Play()
        effect = play.take(play.controller.start(0))
        while not isinstance(effect, CheckRights):
            assert effect is not None
            effect = play.give(play._answer(effect, write, None))
        play.give(Failed(SearchFailed("busy")))
        assert isinstance(play.events[-1], RunFailed)
        assert Step.YIELD not in [event.step for event in play.of(StepFinished)]


@pytest.mark.parametrize("given", [Found(()), Readable(frozenset())])
def test_what_nobody_asked_for_is_a_fault(given: Input) -> None:
    play = Play()
    play.take(play.controller.start(0))
    with pytest.raises(AssertionError):
        play.give(given)
    with pytest.raises(AssertionError):
        play.controller.start(0)
