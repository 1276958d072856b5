"""Each provider's own wire: what is asked of it, and that its stream is understood. A transport plays its host."""

import json
from collections.abc import Callable
from typing import Any

import httpx2
import pytest

from choir.chorus.errors import ModelError
from choir.chorus.models import choice
from choir.chorus.models.provider import ProviderModel
from choir.chorus.ports import StepInput, StepResult, TextDelta
from choir.chorus.prompts import system_prompt, user_prompt
from choir.chorus.steps import Step
from tests.chorus.makers import make_prior

KEYS = {"OPENAI_API_KEY": "key-o", "ANTHROPIC_API_KEY": "key-a", "GOOGLE_API_KEY": "key-g"}
GIVEN = StepInput(
    step=Step.ACTION, round=1, prompt="Why?", context=(), transcript=(), priors=(make_prior(1, prior_id="p1"),)
)
ANSWER = json.dumps({"initial_response": "Because of it.", "confidence": 0.5})
HALVES = (ANSWER[:25], ANSWER[25:])


def sse(*events: dict[str, Any], named: bool = False) -> str:
    return "".join((f"event: {e['type']}\n" if named else "") + f"data: {json.dumps(e)}\n\n" for e in events)


def openai_stream(model: str) -> str:
    base = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": model}
    usage = {"prompt_tokens": 1_000, "completion_tokens": 100, "total_tokens": 1_100}
    return sse(
        *[base | {"choices": [{"index": 0, "delta": {"content": half}, "finish_reason": None}]} for half in HALVES],
        base | {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]},
        base | {"choices": [], "usage": usage},
    )


def anthropic_stream(model: str) -> str:
    usage = {"input_tokens": 1_000, "output_tokens": 1}
    message = {"id": "m", "type": "message", "role": "assistant", "model": model, "content": [], "usage": usage}
    block = {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}
    return sse(
        {"type": "message_start", "message": message | {"stop_reason": None, "stop_sequence": None}},
        block,
        *[
            {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": half}}
            for half in HALVES
        ],
        {"type": "content_block_stop", "index": 0},
        {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 100}},
        {"type": "message_stop"},
        named=True,
    )


def google_stream(model: str) -> str:
    usage = {"promptTokenCount": 1_000, "candidatesTokenCount": 100, "totalTokenCount": 1_100}
    pieces = [{"content": {"role": "model", "parts": [{"text": half}]}} for half in HALVES]
    return sse(
        {"candidates": [pieces[0]], "modelVersion": model},
        {"candidates": [pieces[1] | {"finishReason": "STOP"}], "usageMetadata": usage, "modelVersion": model},
    )


Stream = Callable[[str], str]
CASES = [
    ("openai:gpt-4o", "api.openai.com", openai_stream),
    ("anthropic:claude-sonnet-4-5", "api.anthropic.com", anthropic_stream),
    ("google:gemini-2.5-flash", "generativelanguage.googleapis.com", google_stream),
]


class Host:
    """Answers every request with the same, and keeps what was asked."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, answer: httpx2.Response) -> None:
        self.requests: list[httpx2.Request] = []

        def handle(request: httpx2.Request) -> httpx2.Response:
            self.requests.append(request)
            return answer

        monkeypatch.setattr(
            choice, "_make_client", lambda: httpx2.AsyncClient(transport=httpx2.MockTransport(handle), timeout=60)
        )


def make(name: str) -> ProviderModel:
    model = choice.make_model(name, environment=KEYS)
    assert isinstance(model, ProviderModel)
    return model


@pytest.mark.parametrize(("name", "host", "stream"), CASES)
async def test_a_step(monkeypatch: pytest.MonkeyPatch, name: str, host: str, stream: Stream) -> None:
    text = stream(name.partition(":")[2])
    played = Host(monkeypatch, httpx2.Response(200, text=text, headers={"Content-Type": "text/event-stream"}))
    model = make(name)
    pieces = [piece async for piece in model.run(GIVEN)]
    result = pieces.pop()
    assert isinstance(result, StepResult)
    assert getattr(result.output, "initial_response", None) == "Because of it."
    assert "".join(piece.text for piece in pieces if isinstance(piece, TextDelta)) == "Because of it."
    assert (result.usage.input_tokens, result.usage.output_tokens) == (1_000, 100)
    assert result.usage.cost_usd is not None
    assert 0 < result.usage.cost_usd < 0.1
    [request] = played.requests
    assert request.url.host == host
    told = request.content.decode()
    assert '"tools"' not in told
    body = json.loads(told)
    assert strings_with(body, system_prompt(Step.ACTION)) == 1
    assert strings_with(body, user_prompt(GIVEN)) == 1
    await model.aclose()


def strings_with(value: Any, wanted: str) -> int:
    """How many strings within a JSON value are the wanted one."""
    if isinstance(value, dict):
        return sum(strings_with(item, wanted) for item in value.values())
    if isinstance(value, list):
        return sum(strings_with(item, wanted) for item in value)
    return int(isinstance(value, str) and value.strip() == wanted.strip())


@pytest.mark.parametrize(
    ("status", "error"), [(401, "ModelUnauthorised"), (429, "ModelRateLimited"), (500, "ModelFailed")]
)
@pytest.mark.parametrize("name", [name for name, _, _ in CASES])
async def test_failures(monkeypatch: pytest.MonkeyPatch, name: str, status: int, error: str) -> None:
    body = {"error": {"message": f"not with {KEYS} for Why?", "type": "x", "code": status, "status": "X"}}
    played = Host(monkeypatch, httpx2.Response(status, json=body))
    model = make(name)
    with pytest.raises(ModelError) as raised:
        await anext(model.run(GIVEN))
    assert raised.value.name == error
    assert "key-" not in str(raised.value)
    assert len(played.requests) == 1
    await model.aclose()


async def test_no_price_for_an_endpoint_of_somebody(monkeypatch: pytest.MonkeyPatch) -> None:
    text = openai_stream("gpt-4o")
    Host(monkeypatch, httpx2.Response(200, text=text, headers={"Content-Type": "text/event-stream"}))
    model = make("http://somebody.example/v1#gpt-4o")
    pieces = [piece async for piece in model.run(GIVEN)]
    assert isinstance(pieces[-1], StepResult)
    assert pieces[-1].usage.cost_usd is None
    await model.aclose()
