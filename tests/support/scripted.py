"""A model that says what a test wants, when the test wants it."""

import asyncio
from collections.abc import AsyncGenerator

from choir.chorus.errors import ModelFailed
from choir.chorus.ports import StepInput, StepResult, TextDelta
from choir.chorus.steps import Action, AnyOutput, Citation, Experience, Intention, Observation, Step, Update, Yield


class ScriptedModel:
    """Quotes the whole text of every prior that it is given. ``hold_at`` names a step in which it writes one token and
    then waits for ``go_on``; ``fails_at`` one that it cannot do."""

    name = "scripted"
    is_extractive = False

    def __init__(self, *, hold_at: Step | None = None, fails_at: Step | None = None) -> None:
        self.go_on = asyncio.Event()
        self.is_holding = asyncio.Event()
        self.given: list[StepInput] = []
        self._hold_at = hold_at
        self._fails_at = fails_at

    async def run(self, given: StepInput) -> AsyncGenerator[TextDelta | StepResult, None]:
        self.given.append(given)
        if given.step is self._fails_at:
            raise ModelFailed("The provider is out of order.")
        yield TextDelta("One moment. ")
        if given.step is self._hold_at:
            self.is_holding.set()
            await self.go_on.wait()
        yield TextDelta("So. ")
        yield StepResult(output=_write(given))


def _write(given: StepInput) -> AnyOutput:
    citations = tuple(Citation(prior=prior.id, quote=prior.text[:2000]) for prior in given.priors)
    quotes = " ".join(f"{prior.text} [{prior.id}]" for prior in given.priors)
    match given.step:
        case Step.ACTION:
            return Action(initial_response="I do not know yet.", confidence=0.1)
        case Step.EXPERIENCE:
            return Experience(citations=citations, patterns=(), insights=(quotes[:2000],))
        case Step.INTENTION:
            return Intention(goals=("Know.",), constraints=(), expected_outcomes=())
        case Step.OBSERVATION:
            return Observation(analysis="It is there.", patterns=(), quality=0.9)
        case Step.UPDATE:
            return Update(refinements=(), learnings=(), loop=False)
        case Step.YIELD:
            return Yield(final_response=f"It says: {quotes}", citations=citations, confidence=0.9)
