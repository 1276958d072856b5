"""Carrying a run out: streaming, timeouts, faults, and cancelling that really stops the model."""

import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import aclosing
from itertools import pairwise

import pytest

from choir.chorus.controller import RunRequest
from choir.chorus.errors import ModelUnreachable, SearchFailed
from choir.chorus.events import (
    ENDINGS,
    AnyRunEvent,
    RunCancelled,
    RunFailed,
    RunFinished,
    StepFailed,
    StepFinished,
    Token,
)
from choir.chorus.ports import StepInput, StepResult, TextDelta
from choir.chorus.runner import ChorusRun, Timeouts
from choir.chorus.steps import Step
from tests.chorus.makers import HangingModel, ScriptedModel, ScriptedSearch, make_output, make_priors
from tests.support.patience import PATIENCE_SECONDS

REQUEST = RunRequest(run_id="run", prompt="Why?")


def make_run(model: ScriptedModel, search: ScriptedSearch | None = None, timeouts: Timeouts | None = None) -> ChorusRun:
    return ChorusRun(
        REQUEST, dict.fromkeys(Step, model), search or ScriptedSearch(make_priors(3)), time.monotonic, timeouts
    )


async def all_events(run: ChorusRun) -> list[AnyRunEvent]:
    async with asyncio.timeout(PATIENCE_SECONDS):
        return [event async for event in run.events()]


async def test_a_run_from_beginning_to_end() -> None:
    model = ScriptedModel()
    events = await all_events(make_run(model))
    assert isinstance(events[-1], RunFinished)
    assert [given.step for given in model.inputs] == list(Step)
    assert model.closed == 6
    assert "".join(event.text for event in events if isinstance(event, Token)) == "some words" * 6
    assert [event.number for event in events] == list(range(1, len(events) + 1))
    assert all(early.at_ms <= late.at_ms for early, late in pairwise(events))


async def test_tokens_come_before_the_step_is_done() -> None:
    model = HangingModel()
    async with aclosing(make_run(model).events()) as events, asyncio.timeout(PATIENCE_SECONDS):
        async for event in events:
            if isinstance(event, Token):
                assert event.text == "some "
                break
    assert model.closed == 1


async def test_each_step_has_its_own_model() -> None:
    models = {step: ScriptedModel(name=f"model of {step}") for step in Step}
    run = ChorusRun(REQUEST, models, ScriptedSearch(), time.monotonic)
    await all_events(run)
    assert {step: [given.step for given in model.inputs] for step, model in models.items()} == {
        step: [step] for step in Step
    }


@pytest.mark.parametrize("stop", ["cancel", "leave", "cancel task"])
async def test_stopping_closes_the_stream_to_the_model(stop: str) -> None:
    model = HangingModel()
    run = make_run(model)
    events: list[AnyRunEvent] = []

    async def watch() -> None:
        async with aclosing(run.events()) as stream:
            async for event in stream:
                events.append(event)
                if stop == "leave" and isinstance(event, Token):
                    return

    task = asyncio.create_task(watch())
    async with asyncio.timeout(PATIENCE_SECONDS):
        await model.is_hanging.wait()
        if stop == "cancel":
            run.cancel()
        elif stop == "cancel task":
            task.cancel()
        await asyncio.wait([task])
    assert model.closed == 1
    assert isinstance(events[-1], RunCancelled) == (stop == "cancel")
    run.cancel()  # nothing happens any more


async def test_cancelled_before_it_begins() -> None:
    run = make_run(ScriptedModel())
    run.cancel()
    assert isinstance((await all_events(run))[-1], RunCancelled)


async def test_cancelled_while_the_memory_is_searched() -> None:
    searching = asyncio.Event()

    async def hang() -> None:
        searching.set()
        await asyncio.Event().wait()

    run = make_run(ScriptedModel(), ScriptedSearch(before=hang))
    task = asyncio.create_task(all_events(run))
    await searching.wait()
    run.cancel()
    assert isinstance((await task)[-1], RunCancelled)


@pytest.mark.parametrize(
    ("timeouts", "error"),
    [
        (Timeouts(step_seconds=0.05), "ModelTimeout"),
        (Timeouts(run_seconds=0.05), "RunTooLong"),
    ],
)
async def test_a_model_that_hangs(timeouts: Timeouts, error: str) -> None:
    model = HangingModel()
    end = (await all_events(make_run(model, timeouts=timeouts)))[-1]
    assert isinstance(end, RunFailed)
    assert end.error == error
    assert model.closed == (2 if error == "ModelTimeout" else int(model.is_hanging.is_set()))


async def test_a_search_that_hangs() -> None:
    search = ScriptedSearch(before=asyncio.Event().wait)  # type: ignore[arg-type]
    end = (await all_events(make_run(ScriptedModel(), search, Timeouts(search_seconds=0.05))))[-1]
    assert isinstance(end, RunFailed)
    assert (end.step, end.error) == (Step.EXPERIENCE, "SearchFailed")


async def test_failures_are_told_and_retried() -> None:
    errors = [ModelUnreachable("no connection")]
    model = ScriptedModel(lambda given: errors.pop() if errors else make_output(given.step))
    search = ScriptedSearch(make_priors(1))
    search.errors = [SearchFailed("busy")]
    events = await all_events(make_run(model, search))
    failures = [(event.step, event.error) for event in events if isinstance(event, StepFailed)]
    assert failures == [(Step.ACTION, "ModelUnreachable"), (Step.EXPERIENCE, "SearchFailed")]
    assert isinstance(events[-1], RunFinished)


async def test_a_model_that_gives_no_result() -> None:
    class Silent(ScriptedModel):
        async def run(self, given: StepInput) -> AsyncGenerator[TextDelta | StepResult, None]:
            yield TextDelta("words")

    end = (await all_events(make_run(Silent())))[-1]
    assert isinstance(end, RunFailed)
    assert end.error == "ModelAnswerInvalid"


async def test_a_model_that_writes_without_end() -> None:
    class Endless(ScriptedModel):
        async def run(self, given: StepInput) -> AsyncGenerator[TextDelta | StepResult, None]:
            while True:
                yield TextDelta("words " * 10_000)

    end = (await all_events(make_run(Endless())))[-1]
    assert isinstance(end, RunFailed)
    assert end.error == "ModelAnswerInvalid"


async def test_a_fault_of_ours_ends_the_run_and_is_raised() -> None:
    def broken(given: StepInput) -> Exception:
        return ZeroDivisionError("secret text")

    events: list[AnyRunEvent] = []

    async def watch() -> None:
        async for event in make_run(ScriptedModel(broken)).events():
            events.append(event)

    with pytest.raises(ZeroDivisionError):
        await watch()
    end = events[-1]
    assert isinstance(end, RunFailed)
    assert end.error == "InternalError"
    assert "secret" not in end.message
    assert sum(isinstance(event, ENDINGS) for event in events) == 1


async def test_rights_lost_while_the_run_goes_on() -> None:
    search = ScriptedSearch(make_priors(3))

    def script(given: StepInput) -> object:
        if given.step is Step.YIELD and given.round == 1:
            search.unreadable.add(f"{1:064x}")
        return make_output(given.step)

    events = await all_events(make_run(ScriptedModel(script), search))  # type: ignore[arg-type]
    end = events[-1]
    assert isinstance(end, RunFinished)
    assert end.citations == ()  # p1 is not given any more, so nothing may cite it
    assert end.answer == "An answer."
    yields = [event for event in events if isinstance(event, StepFinished) and event.step is Step.YIELD]
    assert len(yields) == 1
