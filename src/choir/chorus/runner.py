"""Carries a run out: asks models and memory for what the controller wants, and gives the events as they happen."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import aclosing
from typing import Final, TypeVar

from msgspec import Struct

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
from choir.chorus.errors import ChorusError, InternalError, ModelAnswerInvalid, ModelTimeout, RunTooLong, SearchFailed
from choir.chorus.events import AnyRunEvent
from choir.chorus.ports import Model, PriorSearch, StepResult, TextDelta
from choir.chorus.steps import Step

Clock = Callable[[], float]
"""Seconds that never fall, from any beginning: ``time.monotonic``."""

Answer = TypeVar("Answer")

_WAITING_INPUTS: Final = 256
_MAX_DELTA_CHARACTERS: Final = 1_000_000


class Timeouts(Struct, frozen=True, kw_only=True):
    """``step_seconds`` is for one attempt of a step, ``run_seconds`` for everything."""

    step_seconds: float = 120.0
    search_seconds: float = 30.0
    run_seconds: float = 900.0


class ChorusRun:
    """One run. Iterate ``events`` once; it asks for nothing while nobody takes events, and remembers none of them.

    Leaving the iteration early (``aclose``) stops the model as ``cancel`` does, but nobody hears of it.
    """

    def __init__(
        self,
        request: RunRequest,
        models: Mapping[Step, Model],
        priors: PriorSearch,
        clock: Clock,
        timeouts: Timeouts | None = None,
    ) -> None:
        self._models = models
        self._priors = priors
        self._clock = clock
        self._timeouts = timeouts or Timeouts()
        names = {step: models[step].name for step in Step}
        self._controller = Controller(request, names, is_extractive=models[Step.YIELD].is_extractive)
        self._inbox: asyncio.Queue[Input] = asyncio.Queue(_WAITING_INPUTS)
        self._work: asyncio.Task[None] | None = None
        self._fault: BaseException | None = None

    def cancel(self) -> None:
        """End the run as soon as its events are taken: its stream to the model is closed and its last event is
        ``RunCancelled``. Nothing happens once it has ended."""
        self._interrupt(Cancel())

    async def events(self) -> AsyncGenerator[AnyRunEvent, None]:
        """Every event in order; the last one is one of ``ENDINGS``. A fault of this program ends the run with
        ``InternalError`` and is then raised."""
        began = self._clock()

        def now_ms() -> int:
            return max(0, round((self._clock() - began) * 1000))

        too_long = RunTooLong(f"The run took longer than {self._timeouts.run_seconds:g} seconds.")
        loop = asyncio.get_running_loop()
        alarm = loop.call_later(self._timeouts.run_seconds, self._interrupt, Abandon(too_long))
        try:
            effects = self._controller.start(now_ms())
            while True:
                for effect in effects:
                    if isinstance(effect, Emit):
                        yield effect.event
                    else:
                        await self._begin(effect)
                if self._controller.is_over:
                    break
                given = await self._inbox.get()
                effects = await self._receive(given, now_ms())
        finally:
            alarm.cancel()
            await self._stop_work()
        if self._fault is not None:
            raise self._fault

    async def _receive(self, given: Input, at_ms: int) -> list[Effect]:
        if isinstance(given, TextDelta):
            effects = self._controller.receive(given, at_ms)
        else:  # checking long texts takes a while, which the event loop does not have
            effects = await asyncio.to_thread(self._controller.receive, given, at_ms)
        if self._controller.is_over:  # the stream to the model is closed before anybody hears of the end
            await self._stop_work()
        return effects

    def _interrupt(self, given: Cancel | Abandon) -> None:
        """Put ahead of what waits: none of it matters any more."""
        while not self._inbox.empty():
            self._inbox.get_nowait()
        self._inbox.put_nowait(given)

    async def _begin(self, effect: Effect) -> None:
        await self._stop_work()
        self._work = asyncio.create_task(self._carry_out(effect))

    async def _stop_work(self) -> None:
        work, self._work = self._work, None
        if work is None:
            return
        work.cancel()
        await asyncio.wait([work])
        if not work.cancelled() and (error := work.exception()) is not None:
            raise error

    async def _carry_out(self, effect: Effect) -> None:
        try:
            match effect:
                case RunStep():
                    await self._run_step(effect)
                case Search():
                    await self._search(effect)
                case CheckRights():
                    await self._check_rights(effect)
        except ChorusError as error:
            await self._inbox.put(Failed(error))
        except Exception as error:
            self._fault = error
            await self._inbox.put(Abandon(InternalError("The node made a mistake; its log says which.")))

    async def _run_step(self, effect: RunStep) -> None:
        await asyncio.sleep(effect.wait_seconds)
        model = self._models[effect.given.step]
        seconds = self._timeouts.step_seconds
        result: StepResult | None = None
        written = 0
        try:
            async with asyncio.timeout(seconds), aclosing(model.run(effect.given)) as pieces:
                async for piece in pieces:
                    if isinstance(piece, StepResult):
                        result = piece
                        break
                    written += len(piece.text)
                    if written > _MAX_DELTA_CHARACTERS:
                        raise ModelAnswerInvalid("The model writes without end.")
                    await self._inbox.put(piece)
        except TimeoutError:
            raise ModelTimeout(f"The model gave no complete answer within {seconds:g} seconds.") from None
        if result is None:
            raise ModelAnswerInvalid("The model ended without an answer.")
        await self._inbox.put(result)

    async def _search(self, effect: Search) -> None:
        await asyncio.sleep(effect.wait_seconds)
        found = await self._of_memory(self._priors.search(effect.query, effect.limit))
        await self._inbox.put(Found(tuple(found)))

    async def _check_rights(self, effect: CheckRights) -> None:
        await self._inbox.put(Readable(await self._of_memory(self._priors.may_still_read(effect.content_hashes))))

    async def _of_memory(self, asked: Awaitable[Answer]) -> Answer:
        seconds = self._timeouts.search_seconds
        try:
            async with asyncio.timeout(seconds):
                return await asked
        except TimeoutError:
            raise SearchFailed(f"The memory gave no answer within {seconds:g} seconds.") from None
