"""What the tests of the chorus are made of: priors, outputs of each step, and models that play a script."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence

from choir.chorus.errors import ChorusError
from choir.chorus.events import PriorView, Usage
from choir.chorus.ports import StepInput, StepResult, TextDelta
from choir.chorus.steps import (
    Action,
    AnyOutput,
    Citation,
    Experience,
    Intention,
    Observation,
    Step,
    Update,
    Yield,
)

QUOTE = "separate market for blobs"
TEXT = f"There is a {QUOTE} because blobs are not executed."


def make_prior(number: int, text: str = TEXT, *, thread: int | None = None, prior_id: str = "") -> PriorView:
    return PriorView(
        id=prior_id,
        content_hash=f"{number:064x}",
        thread_id=f"{number if thread is None else thread:032x}",
        title=f"Thread {number if thread is None else thread}",
        author="author",
        created_at_ms=number,
        text=text,
        similarity=0.5,
        score=1 / (1 + number),
        resonance=None,
        phase=None,
        entanglement=None,
        proof=f"/v1/proofs/{number}",
    )


def make_priors(count: int) -> tuple[PriorView, ...]:
    return tuple(make_prior(number, f"{TEXT} Number {number}.") for number in range(1, count + 1))


def make_output(step: Step, *, quality: float = 0.5, loop: bool = False, text: str = "An answer [p1].") -> AnyOutput:
    citations = (Citation(prior="p1", quote=QUOTE),)
    match step:
        case Step.ACTION:
            return Action(initial_response="A first answer.", confidence=0.5)
        case Step.EXPERIENCE:
            return Experience(citations=citations, patterns=("a pattern",), insights=("an insight",))
        case Step.INTENTION:
            return Intention(goals=("a goal",), constraints=("a limit",), expected_outcomes=("an outcome",))
        case Step.OBSERVATION:
            return Observation(analysis="It lacks a reason.", patterns=(), quality=quality)
        case Step.UPDATE:
            return Update(refinements=("reasons for blobs",), learnings=(), loop=loop)
        case Step.YIELD:
            return Yield(final_response=text, citations=citations, confidence=0.8)


Script = Callable[[StepInput], AnyOutput | ChorusError | Exception]


class ScriptedModel:
    """Gives what ``script`` says for each input, a word at a time, and remembers the inputs."""

    is_extractive = False

    def __init__(self, script: Script | None = None, name: str = "scripted") -> None:
        self.name = name
        self._script = script or (lambda given: make_output(given.step))
        self.inputs: list[StepInput] = []
        self.closed = 0

    async def run(self, given: StepInput) -> AsyncGenerator[TextDelta | StepResult, None]:
        self.inputs.append(given)
        try:
            yield TextDelta("some ")
            await asyncio.sleep(0)
            yield TextDelta("words")
            answer = self._script(given)
            if isinstance(answer, Exception):
                raise answer
            yield StepResult(output=answer, usage=Usage(input_tokens=10, output_tokens=2, cost_usd=0.25))
        finally:
            self.closed += 1


class HangingModel(ScriptedModel):
    """Writes one word and then nothing more. ``is_hanging`` is set then."""

    def __init__(self) -> None:
        super().__init__()
        self.is_hanging = asyncio.Event()

    async def run(self, given: StepInput) -> AsyncGenerator[TextDelta | StepResult, None]:
        try:
            yield TextDelta("some ")
            self.is_hanging.set()
            await asyncio.Event().wait()
        finally:
            self.closed += 1


class ScriptedSearch:
    """Finds the given priors for every query. ``unreadable`` are hashes that the asker has lost."""

    def __init__(self, priors: Sequence[PriorView] = (), before: Callable[[], Awaitable[None]] | None = None) -> None:
        self.priors = tuple(priors)
        self.queries: list[str] = []
        self.unreadable: set[str] = set()
        self.errors: list[Exception] = []
        self._before = before

    async def search(self, query: str, limit: int) -> Sequence[PriorView]:
        self.queries.append(query)
        if self._before is not None:
            await self._before()
        if self.errors:
            raise self.errors.pop(0)
        return [prior for prior in self.priors if prior.content_hash not in self.unreadable][:limit]

    async def may_still_read(self, content_hashes: Sequence[str]) -> frozenset[str]:
        return frozenset(content_hashes) - self.unreadable
