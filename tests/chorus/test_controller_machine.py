"""Whatever models, memory and askers do, in whatever order: a run keeps its rules."""

import hypothesis.strategies as st
from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from choir.chorus.controller import (
    MAX_LOOPS,
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
from choir.chorus.errors import ModelTimeout, RunTooLong, SearchFailed
from choir.chorus.events import ENDINGS, AnyRunEvent, PriorsFound, PriorsRemoved, StepFailed, StepFinished, StepStarted
from choir.chorus.ports import StepResult, TextDelta
from choir.chorus.priors import MAX_PRIORS
from choir.chorus.steps import Citation, Step, Yield
from tests.chorus.makers import QUOTE, make_output, make_prior


class RunMachine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        request = RunRequest(run_id="run", prompt="Why?")
        self.controller = Controller(request, dict.fromkeys(Step, "model"), is_extractive=False)
        self.events: list[AnyRunEvent] = []
        self.asked: Effect | None = None
        self.at_ms = 0
        self.found = 0
        self._take(self.controller.start(0))

    def _give(self, given: Input) -> None:
        self.at_ms += 1
        self._take(self.controller.receive(given, self.at_ms))

    def _take(self, effects: list[Effect]) -> None:
        self.events += [effect.event for effect in effects if isinstance(effect, Emit)]
        others = [effect for effect in effects if not isinstance(effect, Emit)]
        assert len(others) <= 1
        if others:
            self.asked = others[0]
        elif self.controller.is_over:
            self.asked = None
        if isinstance(self.asked, RunStep) and others:
            self._check_input(self.asked)

    def _check_input(self, effect: RunStep) -> None:
        """The whole transcript: each finished step, but for those that saw what was removed."""
        removed = [place for place, event in enumerate(self.events) if isinstance(event, PriorsRemoved)]
        done = [event for event in self.events if isinstance(event, StepFinished)]
        if removed:
            after = [event for event in self.events[removed[-1] :] if isinstance(event, StepFinished)]
            done = done[:1] + after
        assert [one.output for one in effect.given.transcript] == [event.output for event in done]
        given = {prior.id: prior for event in self.events if isinstance(event, PriorsFound) for prior in event.priors}
        lost = {one for event in self.events if isinstance(event, PriorsRemoved) for one in event.priors}
        expected = [] if effect.given.step is Step.ACTION else [given[one] for one in given if one not in lost]
        assert list(effect.given.priors) == expected

    @precondition(lambda self: isinstance(self.asked, RunStep))
    @rule(text=st.text(max_size=5))
    def model_writes(self, text: str) -> None:
        self._give(TextDelta(text))

    @precondition(lambda self: isinstance(self.asked, RunStep))
    @rule(quality=st.sampled_from([0.1, 0.5, 0.9]), loop=st.booleans(), cited=st.sampled_from(["p1", "p5", "p99"]))
    def model_ends(self, quality: float, loop: bool, cited: str) -> None:
        assert isinstance(self.asked, RunStep)
        output = make_output(self.asked.given.step, quality=quality, loop=loop)
        if isinstance(output, Yield):
            output = Yield(final_response=f"So [{cited}].", citations=(Citation(cited, QUOTE),), confidence=quality)
        self._give(StepResult(output=output))

    @precondition(lambda self: isinstance(self.asked, Search))
    @rule(count=st.integers(0, 20), again=st.integers(0, 3))
    def memory_finds(self, count: int, again: int) -> None:
        first = max(0, self.found - again)
        self.found = first + count
        self._give(Found(tuple(make_prior(n, f"A {QUOTE}, {n}.", thread=n // 4) for n in range(first, self.found))))

    @precondition(lambda self: isinstance(self.asked, CheckRights))
    @rule(lost=st.sampled_from([0, 0, 1, 2]))
    def rights_are_told(self, lost: int) -> None:
        assert isinstance(self.asked, CheckRights)
        self._give(Readable(frozenset(self.asked.content_hashes[lost:])))

    @precondition(lambda self: self.asked is not None)
    @rule()
    def it_fails(self) -> None:
        is_model = isinstance(self.asked, RunStep)
        self._give(Failed(ModelTimeout("late") if is_model else SearchFailed("busy")))

    @rule(abandon=st.sampled_from([False] * 5 + [True]), cancel=st.sampled_from([False] * 5 + [True]))
    def it_is_interrupted(self, abandon: bool, cancel: bool) -> None:
        if cancel:
            self._give(Cancel())
        elif abandon:
            self._give(Abandon(RunTooLong("late")))

    @invariant()
    def it_ends_once_and_last(self) -> None:
        endings = [place for place, event in enumerate(self.events) if isinstance(event, ENDINGS)]
        assert endings == ([len(self.events) - 1] if self.controller.is_over else [])
        assert self.controller.is_over == (self.asked is None)

    @invariant()
    def numbers_have_no_gap_and_time_never_falls(self) -> None:
        assert [event.number for event in self.events] == list(range(1, len(self.events) + 1))
        times = [event.at_ms for event in self.events]
        assert times == sorted(times)

    @invariant()
    def loops_are_few(self) -> None:
        started = [event for event in self.events if isinstance(event, StepStarted) and event.attempt == 1]
        assert sum(event.step is Step.ACTION for event in started) <= 1 + MAX_LOOPS
        assert len(started) <= (1 + MAX_LOOPS) * 5 + 1 + 5

    @invariant()
    def a_step_is_tried_twice_at_most(self) -> None:
        for kind in (StepStarted, StepFailed):
            tries = [(event.step, event.round) for event in self.events if isinstance(event, kind)]
            assert all(tries.count(one) <= 2 for one in set(tries))

    @invariant()
    def ids_name_one_prior_each(self) -> None:
        priors = [prior for event in self.events if isinstance(event, PriorsFound) for prior in event.priors]
        assert [prior.id for prior in priors] == [f"p{number}" for number in range(1, len(priors) + 1)]
        lost = sum(len(event.priors) for event in self.events if isinstance(event, PriorsRemoved))
        assert len(priors) - lost <= MAX_PRIORS


TestRunMachine = RunMachine.TestCase
TestRunMachine.settings = settings(max_examples=150, stateful_step_count=60, deadline=None)
