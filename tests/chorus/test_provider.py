"""The real provider code against a real HTTP server: streaming, failures, cancelling, and what is sent."""

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest

from choir.chorus.controller import RunRequest
from choir.chorus.errors import ModelError
from choir.chorus.events import AnyRunEvent, RunCancelled, RunFailed, RunFinished, StepFailed, StepStarted, Token
from choir.chorus.models.choice import make_model
from choir.chorus.models.provider import ProviderModel
from choir.chorus.ports import ContextMessage, Done, StepInput, StepResult, TextDelta
from choir.chorus.prompts import system_prompt, user_prompt
from choir.chorus.runner import ChorusRun, Timeouts
from choir.chorus.steps import OUTPUT_OF, Step
from tests.chorus.conftest import ROOT, ScriptedProvider
from tests.chorus.makers import ScriptedSearch, make_output, make_prior, make_priors
from tests.support.patience import PATIENCE_SECONDS

KEY = "sk-a-key-that-nobody-may-see"
SECRET = "private words of somebody"
PRIORS = tuple(make_prior(n, f"{make_priors(n)[-1].text} {SECRET}", prior_id=f"p{n}") for n in (1, 2))


@pytest.fixture
async def model(provider: ScriptedProvider) -> AsyncIterator[ProviderModel]:
    made = make_model(provider.choice, environment={"CHOIR_CHORUS_API_KEY": KEY})
    assert isinstance(made, ProviderModel)
    yield made
    await made.aclose()


def give(step: Step) -> StepInput:
    context = (ContextMessage(content_hash="c", author="somebody", created_at_ms=0, text="What was said before."),)
    transcript = (Done(step=Step.ACTION, round=1, output=make_output(Step.ACTION)),)
    return StepInput(step=step, round=1, prompt="Why?", context=context, transcript=transcript, priors=PRIORS)


async def run_step(model: ProviderModel, step: Step) -> tuple[list[str], StepResult]:
    pieces = [piece async for piece in model.run(give(step))]
    result = pieces.pop()
    assert isinstance(result, StepResult)
    return [piece.text for piece in pieces if isinstance(piece, TextDelta)], result


async def run_all(model: ProviderModel, timeouts: Timeouts | None = None) -> tuple[ChorusRun, list[AnyRunEvent]]:
    request = RunRequest(run_id="run", prompt="Why?")
    run = ChorusRun(request, dict.fromkeys(Step, model), ScriptedSearch(make_priors(2)), time.monotonic, timeouts)
    async with asyncio.timeout(PATIENCE_SECONDS):
        return run, [event async for event in run.events()]


@pytest.mark.parametrize("step", list(Step))
async def test_each_step(model: ProviderModel, provider: ScriptedProvider, step: Step) -> None:
    pieces, result = await run_step(model, step)
    assert type(result.output) is OUTPUT_OF[step]
    assert (result.usage.input_tokens, result.usage.output_tokens, result.usage.cost_usd) == (100, 20, None)
    assert len(pieces) > 1
    shown = "".join(pieces)
    texts = [value for value in vars_of(result.output) if isinstance(value, str)]
    assert all(text in shown for text in texts)
    [request] = provider.seen()
    assert request["body"]["stream"] is True
    assert request["body"]["model"] == "scripted"


def vars_of(output: Any) -> list[Any]:
    values = [getattr(output, name) for name in output.__struct_fields__ if name != "citations"]
    return [item for value in values for item in (value if isinstance(value, tuple) else [value])]


@pytest.mark.parametrize("step", list(Step))
async def test_what_is_sent(model: ProviderModel, provider: ScriptedProvider, step: Step) -> None:
    await run_step(model, step)
    [request] = provider.seen()
    body = request["body"]
    assert [message["role"] for message in body["messages"]] == ["system", "user"]
    assert [message["content"] for message in body["messages"]] == [system_prompt(step), user_prompt(give(step))]
    assert not {"tools", "tool_choice", "functions"} & body.keys()
    assert body["response_format"]["json_schema"]["name"] == step.value
    assert request["headers"]["authorization"].lower() == f"bearer {KEY}"


async def test_the_first_token_comes_while_the_model_still_writes(
    model: ProviderModel, provider: ScriptedProvider
) -> None:
    provider.play(action=[{"kind": "stream_then_hang"}])
    pieces = model.run(give(Step.ACTION))
    async with asyncio.timeout(PATIENCE_SECONDS):
        first = await anext(pieces)
    assert isinstance(first, TextDelta)
    assert first.text
    assert not provider.seen()[0]["given_up"]
    await pieces.aclose()
    await provider.until_given_up()


FAILURES: list[tuple[dict[str, Any], str]] = [
    ({"kind": "status", "status": 400}, "ModelFailed"),
    ({"kind": "status", "status": 401}, "ModelUnauthorised"),
    ({"kind": "status", "status": 402}, "ModelUnauthorised"),
    ({"kind": "status", "status": 403}, "ModelUnauthorised"),
    ({"kind": "status", "status": 404}, "ModelFailed"),
    ({"kind": "status", "status": 429}, "ModelRateLimited"),
    ({"kind": "status", "status": 500}, "ModelFailed"),
    ({"kind": "status", "status": 503}, "ModelFailed"),
    ({"kind": "broken"}, "ModelUnreachable"),
    ({"kind": "close"}, "ModelUnreachable"),
    ({"kind": "cut"}, "ModelTruncated"),
    ({"kind": "cut", "share": 0.0}, "ModelAnswerInvalid"),
    ({"kind": "length"}, "ModelTruncated"),
    ({"kind": "refusal"}, "ModelRefused"),
    ({"kind": "filter"}, "ModelRefused"),
    ({"kind": "malformed"}, "ModelFailed"),
    ({"kind": "html"}, "ModelAnswerInvalid"),
    ({"kind": "huge"}, "ModelAnswerInvalid"),
    ({"kind": "tool_call"}, "ModelAnswerInvalid"),
    ({"kind": "text", "text": "I would rather chat."}, "ModelAnswerInvalid"),
    ({"kind": "text", "text": '["a list"]'}, "ModelAnswerInvalid"),
    ({"kind": "text", "text": "{" * 5_000}, "ModelAnswerInvalid"),
    ({"kind": "text", "text": '{"a":' * 5_000 + "1" + "}" * 5_000}, "ModelAnswerInvalid"),
    ({"kind": "good", "output": {"answer": "of another form"}}, "ModelAnswerInvalid"),
    ({"kind": "good", "output": {"initial_response": "x", "confidence": 7}}, "ModelAnswerInvalid"),
    ({"kind": "good", "output": {"initial_response": "x" * 40_000, "confidence": 0.5}}, "ModelAnswerInvalid"),
    ({"kind": "good", "output": {"initial_response": ["x"], "confidence": 0.5}}, "ModelAnswerInvalid"),
    ({"kind": "good", "output": {"initial_response": "", "confidence": 0.5}}, "ModelAnswerInvalid"),
]


@pytest.mark.parametrize(("behaviour", "error"), FAILURES, ids=lambda value: str(value)[:60])
async def test_failures(
    model: ProviderModel, provider: ScriptedProvider, behaviour: dict[str, Any], error: str
) -> None:
    provider.play(action=[{"message": f"wrong key {KEY} for {SECRET}", "piece_characters": 500} | behaviour])
    with pytest.raises(ModelError) as raised:
        await run_step(model, Step.ACTION)
    assert raised.value.name == error
    assert KEY not in str(raised.value)
    assert SECRET not in str(raised.value)
    chain = [raised.value.__cause__, raised.value.__context__ if not raised.value.__suppress_context__ else None]
    assert chain == [None, None]  # so that no log can print the provider's own words
    assert len(provider.seen()) == 1  # nothing below the controller retries


async def test_words_around_the_answer(model: ProviderModel, provider: ScriptedProvider) -> None:
    text = 'Sure:\n```json\n{"initial_response": "Yes {so}", "confidence": 1, "more": null}\n```\nAnything else?'
    provider.play(action=[{"kind": "text", "text": text}])
    pieces, result = await run_step(model, Step.ACTION)
    assert getattr(result.output, "initial_response", None) == "Yes {so}"
    assert "".join(pieces) == "Yes {so}"


async def test_an_endpoint_without_schemas_is_asked_in_words(model: ProviderModel, provider: ScriptedProvider) -> None:
    provider.play(action=[{"kind": "status", "status": 400}])
    _, events = await run_all(model)
    assert isinstance(events[-1], RunFinished)
    requests = provider.seen()
    assert len(requests) == 7
    assert ["response_format" in request["body"] for request in requests] == [True] + [False] * 6


async def test_a_provider_that_is_not_there() -> None:
    model = make_model("http://127.0.0.1:9/v1#model")
    assert isinstance(model, ProviderModel)
    with pytest.raises(ModelError) as raised:
        await run_step(model, Step.ACTION)
    assert raised.value.name == "ModelUnreachable"
    await model.aclose()


class TestRuns:
    async def test_a_whole_run(self, model: ProviderModel, provider: ScriptedProvider) -> None:
        _, events = await run_all(model)
        end = events[-1]
        assert isinstance(end, RunFinished)
        assert end.answer == "The answer [p1]."
        assert [citation.prior for citation in end.citations] == ["p1"]
        assert end.removed_citations == 0
        assert (end.usage.input_tokens, end.usage.output_tokens) == (600, 120)
        assert [request["step"] for request in provider.seen()] == list(Step)
        assert {event.model for event in events if isinstance(event, StepStarted)} == {"scripted"}

    async def test_each_failure_is_retried_once(self, model: ProviderModel, provider: ScriptedProvider) -> None:
        provider.play(
            action=[{"kind": "broken"}],
            experience=[{"kind": "status", "status": 429, "headers": {"Retry-After": "0"}}],
            intention=[{"kind": "text", "text": "no JSON"}],
            observation=[{"kind": "status", "status": 500}],
            update=[{"kind": "length"}],
            yield_=[{"kind": "close"}],
        )
        _, events = await run_all(model)
        assert [event.error for event in events if isinstance(event, StepFailed)] == [
            "ModelUnreachable",
            "ModelRateLimited",
            "ModelAnswerInvalid",
            "ModelFailed",
            "ModelTruncated",
            "ModelUnreachable",
        ]
        assert isinstance(events[-1], RunFinished)

    async def test_a_second_failure_ends_the_run(self, model: ProviderModel, provider: ScriptedProvider) -> None:
        provider.play(intention=[{"kind": "refusal"}, {"kind": "refusal"}])
        _, events = await run_all(model)
        end = events[-1]
        assert isinstance(end, RunFailed)
        assert (end.step, end.error) == (Step.INTENTION, "ModelRefused")
        assert [request["step"] for request in provider.seen()][-2:] == ["intention", "intention"]

    @pytest.mark.parametrize("kind", ["hang", "stream_then_hang"])
    async def test_cancelling_closes_the_provider_s_stream(
        self, model: ProviderModel, provider: ScriptedProvider, kind: str
    ) -> None:
        provider.play(intention=[{"kind": kind}])
        request = RunRequest(run_id="run", prompt="Why?")
        run = ChorusRun(request, dict.fromkeys(Step, model), ScriptedSearch(make_priors(2)), time.monotonic)

        async def watch() -> list[AnyRunEvent]:
            return [event async for event in run.events()]

        task = asyncio.create_task(watch())
        async with asyncio.timeout(PATIENCE_SECONDS):
            while len(await asyncio.to_thread(provider.seen)) < 3:  # noqa: ASYNC110  it is another process
                await asyncio.sleep(0.02)
            run.cancel()
            events = await task
        assert isinstance(events[-1], RunCancelled)
        await provider.until_given_up()
        assert [request["given_up"] for request in provider.seen()] == [False, False, True]

    async def test_a_silent_provider_is_left_after_the_step_s_time(
        self, model: ProviderModel, provider: ScriptedProvider
    ) -> None:
        await model.prepare()
        provider.play(action=[{"kind": "hang"}, {"kind": "stream_then_hang"}])
        _, events = await run_all(model, Timeouts(step_seconds=3.0))
        end = events[-1]
        assert isinstance(end, RunFailed)
        assert end.error == "ModelTimeout"
        await provider.until_given_up(2)

    async def test_a_slow_provider_is_waited_for(self, model: ProviderModel, provider: ScriptedProvider) -> None:
        provider.play(action=[{"kind": "good", "pause_seconds": 0.02, "piece_characters": 3}])
        _, events = await run_all(model)
        tokens = [event.text for event in events if isinstance(event, Token) and event.step is Step.ACTION]
        assert len(tokens) > 10
        assert isinstance(events[-1], RunFinished)


def test_nothing_heavy_is_imported_with_the_chorus() -> None:
    """A node starts in half a second: language models are imported when the first is asked."""
    code = (
        "import sys, choir.chorus.runner; from choir.chorus.models.choice import make_model;"
        "make_model('openai:some-model', environment={'OPENAI_API_KEY': 'k'}); make_model('extractive');"
        "heavy = ('pydantic', 'pydantic_ai', 'openai', 'httpx2');"
        "print([name for name in heavy if name in sys.modules])"
    )
    command = [sys.executable, "-c", code]
    shown = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert shown.strip() == "[]"


async def test_no_secret_is_in_what_a_model_shows_of_itself(model: ProviderModel) -> None:
    assert KEY not in repr(model)
    assert KEY not in json.dumps({"name": model.name})
