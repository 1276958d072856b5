"""The rules of a run: input in, effects out. No clock, no I/O, no randomness: the runner does what is asked here.

Action answers with a beginner's mind: it is given no priors. Then the memory is searched, and every later step sees
the question, the thread, all earlier steps and the priors. ``update`` may send the run back to action. A step that
fails is tried once more; then the run ends with the error. Every run ends in exactly one of ``ENDINGS``.
"""

from collections.abc import Mapping, Sequence
from enum import Enum, auto
from typing import Any, Final

from msgspec import Struct

from choir.chorus.citations import check_output, resolve_citations
from choir.chorus.errors import ChorusError, ModelAnswerInvalid, PriorsWithdrawn
from choir.chorus.events import (
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
from choir.chorus.ports import ContextMessage, Done, StepInput, StepResult, TextDelta
from choir.chorus.priors import SEARCH_LIMIT, choose_priors, fit_context, search_query
from choir.chorus.steps import OUTPUT_OF, AnyOutput, Observation, Step, Update, Yield

MAX_LOOPS: Final = 3
MAX_ATTEMPTS: Final = 2
_NEXT: Final = dict(zip(list(Step), list(Step)[1:], strict=False))


class RunRequest(Struct, frozen=True, kw_only=True):
    """The question, and the thread in which it is asked as the asker may read it (oldest message first)."""

    run_id: str
    prompt: str
    thread_id: str | None = None
    context: tuple[ContextMessage, ...] = ()


class Found(Struct, frozen=True):
    """Input: what the search gave, best first."""

    priors: tuple[PriorView, ...]


class Readable(Struct, frozen=True):
    """Input: the content hashes that the asker may read now."""

    content_hashes: frozenset[str]


class Failed(Struct, frozen=True):
    """Input: what was asked for failed."""

    error: ChorusError


class Cancel(Struct, frozen=True):
    """Input: the asker wants no answer any more."""


class Abandon(Struct, frozen=True):
    """Input: the run cannot go on, whatever the step."""

    error: ChorusError


Input = TextDelta | StepResult | Found | Readable | Failed | Cancel | Abandon


class Emit(Struct, frozen=True):
    """Effect: tell the watchers."""

    event: AnyRunEvent


class RunStep(Struct, frozen=True):
    """Effect: have the step's model write. Answered by ``TextDelta``… and ``StepResult``, or ``Failed``."""

    given: StepInput
    wait_seconds: float


class Search(Struct, frozen=True):
    """Effect: search the memory. Answered by ``Found`` or ``Failed``."""

    query: str
    limit: int
    wait_seconds: float


class CheckRights(Struct, frozen=True):
    """Effect: ask what is readable now. Answered by ``Readable`` or ``Failed``."""

    content_hashes: tuple[str, ...]


Effect = Emit | RunStep | Search | CheckRights


class _Awaited(Enum):
    START = auto()
    PRIORS = auto()
    STEP = auto()
    RIGHTS = auto()
    NOTHING = auto()


class Controller:
    """One run. ``start`` once, then ``receive`` an answer to each effect that is not ``Emit``; ``at_ms`` never falls.

    Each call gives its effects in order; at most the last one is no ``Emit``. After the end nothing has an effect.
    """

    def __init__(self, request: RunRequest, models: Mapping[Step, str], *, is_extractive: bool) -> None:
        self._request = request
        self._context = fit_context(request.context)
        self._asked = (request.prompt, *(message.text for message in self._context))
        self._models = dict(models)
        self._is_extractive = is_extractive
        self._awaited = _Awaited.START
        self._effects: list[Effect] = []
        self._number = 0
        self._at_ms = 0
        self._step = Step.ACTION
        self._round = 1
        self._loops = 0
        self._attempt = 1
        self._is_second_pass = False
        self._transcript: tuple[Done, ...] = ()
        self._priors: tuple[PriorView, ...] = ()
        self._given_priors = 0
        self._query = ""
        self._qualities: list[float] = []
        self._step_began_ms = 0
        self._model_began_ms = 0
        self._first_token_ms: int | None = None
        self._pending: tuple[AnyOutput, int, StepFinished] | None = None
        self._usage = Usage(cost_usd=0.0)
        self._removed = 0

    @property
    def is_over(self) -> bool:
        """Whether the run has ended."""
        return self._awaited is _Awaited.NOTHING

    def start(self, at_ms: int) -> list[Effect]:
        """The first effects."""
        self._expect(_Awaited.START)
        self._at_ms = at_ms
        self._emit(
            RunStarted,
            run_id=self._request.run_id,
            prompt=self._request.prompt,
            thread_id=self._request.thread_id,
            models={step.value: name for step, name in self._models.items()},
            is_extractive=self._is_extractive,
        )
        self._begin(Step.ACTION)
        return self._taken()

    def receive(self, given: Input, at_ms: int) -> list[Effect]:
        """What follows from an input. An input that nothing asked for is a fault of the caller."""
        if self.is_over:
            return []
        self._at_ms = at_ms
        match given:
            case TextDelta():
                self._on_text(given.text)
            case StepResult():
                self._on_result(given)
            case Found():
                self._on_found(given.priors)
            case Readable():
                self._on_readable(given.content_hashes)
            case Failed():
                self._on_failed(given.error)
            case Cancel():
                self._end(RunCancelled)
            case Abandon():
                self._fail(None, given.error)
        return self._taken()

    def _on_text(self, text: str) -> None:
        self._expect(_Awaited.STEP)
        if self._first_token_ms is None:
            self._first_token_ms = self._at_ms - self._model_began_ms
        self._emit(Token, step=self._step, text=text)

    def _on_result(self, result: StepResult) -> None:
        self._expect(_Awaited.STEP)
        try:
            if type(result.output) is not OUTPUT_OF[self._step]:
                raise ModelAnswerInvalid("The model's answer is that of another step.")
            output, removed = check_output(result.output, self._visible_priors(), self._asked)
        except ModelAnswerInvalid as error:
            self._on_failed(error)
            return
        finished = StepFinished(
            number=0,
            at_ms=0,
            step=self._step,
            round=self._round,
            output=output,
            removed_citations=removed,
            usage=result.usage,
            model_ms=self._at_ms - self._model_began_ms,
            first_token_ms=self._first_token_ms,
            took_ms=0,
        )
        self._pending = (output, removed, finished)
        hashes = [message.content_hash for message in self._context]
        sources = (*hashes, *(prior.content_hash for prior in self._priors))
        if isinstance(output, Yield) and sources:
            # The rights are asked last, when the answer is there and before anybody gets it.
            self._awaited = _Awaited.RIGHTS
            self._effects.append(CheckRights(sources))
        else:
            self._finish_step()

    def _finish_step(self) -> None:
        assert self._pending is not None
        output, removed, finished = self._pending
        self._pending = None
        self._removed += removed
        self._usage = add_usage(self._usage, finished.usage)
        self._transcript += (Done(step=self._step, round=self._round, output=output),)
        fields = {name: getattr(finished, name) for name in finished.__struct_fields__}
        self._emit(StepFinished, **fields | {"took_ms": self._at_ms - self._step_began_ms})
        self._advance(output)

    def _advance(self, output: AnyOutput) -> None:
        if isinstance(output, Observation):
            self._qualities.append(output.quality)
        if isinstance(output, Yield):
            self._finish(output)
        elif isinstance(output, Update) and output.loop and self._may_loop():
            self._loops += 1
            self._round += 1
            self._begin(Step.ACTION)
        else:
            self._begin(_NEXT[self._step])

    def _may_loop(self) -> bool:
        """A loop that raised nothing is the last."""
        is_rising = len(self._qualities) < 2 or self._qualities[-1] > self._qualities[-2]
        return is_rising and self._loops < MAX_LOOPS and not self._is_second_pass

    def _on_found(self, found: Sequence[PriorView]) -> None:
        self._expect(_Awaited.PRIORS)
        new = choose_priors(found, self._priors, first_id=self._given_priors + 1, question=self._request.prompt)
        self._given_priors += len(new)
        self._priors += new
        self._emit(PriorsFound, query=self._query, priors=new)
        self._ask_model(0.0)

    def _on_readable(self, readable: frozenset[str]) -> None:
        self._expect(_Awaited.RIGHTS)
        lost = tuple(prior.id for prior in self._priors if prior.content_hash not in readable)
        if any(message.content_hash not in readable for message in self._context):
            message = "Messages of the thread became unreadable to you meanwhile: ask again."
            self._fail(Step.YIELD, PriorsWithdrawn(message))
            return
        if not lost:
            self._finish_step()
            return
        self._emit(PriorsRemoved, priors=lost)
        if self._is_second_pass:
            message = "Messages that the answer was built on became unreadable to you, twice: ask again."
            self._fail(Step.YIELD, PriorsWithdrawn(message))
            return
        # Whatever was written since has seen what may no longer be read: only the first action has not.
        assert self._pending is not None
        self._usage = add_usage(self._usage, self._pending[2].usage)
        self._pending = None
        self._is_second_pass = True
        self._transcript = self._transcript[:1]
        self._priors = tuple(prior for prior in self._priors if prior.id not in lost)
        self._round += 1
        self._begin(Step.EXPERIENCE)

    def _on_failed(self, error: ChorusError) -> None:
        if self._awaited is _Awaited.RIGHTS:  # asking again changes nothing for the model: no right, no answer
            self._fail(Step.YIELD, error)
            return
        assert self._awaited in (_Awaited.STEP, _Awaited.PRIORS)
        will_retry = self._attempt < MAX_ATTEMPTS
        self._emit(
            StepFailed,
            step=self._step,
            round=self._round,
            attempt=self._attempt,
            error=error.name,
            message=str(error),
            will_retry=will_retry,
        )
        if not will_retry:
            self._fail(self._step, error)
            return
        self._attempt += 1
        self._announce()
        if self._awaited is _Awaited.PRIORS:
            self._effects.append(Search(self._query, SEARCH_LIMIT, error.wait_seconds))
        else:
            self._ask_model(error.wait_seconds)

    def _begin(self, step: Step) -> None:
        self._step = step
        self._attempt = 1
        self._step_began_ms = self._at_ms
        self._announce()
        if step is Step.EXPERIENCE:
            self._awaited = _Awaited.PRIORS
            self._query = search_query(self._request.prompt, self._transcript)
            self._effects.append(Search(self._query, SEARCH_LIMIT, 0.0))
        else:
            self._ask_model(0.0)

    def _announce(self) -> None:
        model = self._models[self._step]
        self._emit(StepStarted, step=self._step, round=self._round, attempt=self._attempt, model=model)

    def _ask_model(self, wait_seconds: float) -> None:
        self._awaited = _Awaited.STEP
        self._model_began_ms = self._at_ms
        self._first_token_ms = None
        given = StepInput(
            step=self._step,
            round=self._round,
            prompt=self._request.prompt,
            context=self._context,
            transcript=self._transcript,
            priors=self._visible_priors(),
        )
        self._effects.append(RunStep(given, wait_seconds))

    def _visible_priors(self) -> tuple[PriorView, ...]:
        return () if self._step is Step.ACTION else self._priors

    def _finish(self, output: Yield) -> None:
        self._end(
            RunFinished,
            answer=output.final_response,
            citations=resolve_citations(output.citations, self._priors),
            confidence=output.confidence,
            rounds=self._round,
            removed_citations=self._removed,
            usage=self._usage,
            took_ms=self._at_ms,
        )

    def _fail(self, step: Step | None, error: ChorusError) -> None:
        self._end(RunFailed, step=step, error=error.name, message=str(error))

    def _end(self, kind: type[AnyRunEvent], **fields: Any) -> None:
        self._emit(kind, **fields)
        self._awaited = _Awaited.NOTHING

    def _emit(self, kind: type[AnyRunEvent], **fields: Any) -> None:
        self._number += 1
        self._effects.append(Emit(kind(**fields | {"number": self._number, "at_ms": self._at_ms})))

    def _expect(self, awaited: _Awaited) -> None:
        if self._awaited is not awaited:
            raise AssertionError(f"a run that awaits {self._awaited.name} was given what belongs to {awaited.name}")

    def _taken(self) -> list[Effect]:
        effects, self._effects = self._effects, []
        return effects


def add_usage(left: Usage, right: Usage) -> Usage:
    """The sum; no cost where one of them is unknown."""
    known = left.cost_usd is not None and right.cost_usd is not None
    return Usage(
        input_tokens=left.input_tokens + right.input_tokens,
        output_tokens=left.output_tokens + right.output_tokens,
        cost_usd=(left.cost_usd or 0.0) + (right.cost_usd or 0.0) if known else None,
    )
