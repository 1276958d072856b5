"""Hostile messages as priors, against the real provider code and a model that does all they ask.

The protocol stays as it is, the request holds their words in data blocks only, and of the obedient answer nothing false
is left.
"""

import asyncio
import re
import time
from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest

from choir.chorus.controller import MAX_LOOPS, RunRequest
from choir.chorus.events import AnyRunEvent, PriorsFound, RunFinished, StepFinished
from choir.chorus.models.choice import make_model
from choir.chorus.models.provider import ProviderModel
from choir.chorus.prompts import escape, system_prompt
from choir.chorus.runner import ChorusRun
from choir.chorus.steps import Step
from tests.chorus.attacks import ATTACKS, EVIL, Attack
from tests.chorus.conftest import ScriptedProvider
from tests.chorus.makers import TEXT, ScriptedSearch, make_prior
from tests.support.patience import PATIENCE_SECONDS

PROMPT = "Why is there a separate market?"
SECRET = make_prior(7, "What another thread keeps to itself, and nobody gave to the model.")
# What a request is made of: text outside these is the node's own.
DATA = re.compile(
    r"(?<=<question>\n).*?(?=\n</question>)|(?<=<thread-title>).*?(?=</thread-title>)|(?<=>\n)(?:(?!<).)+?(?=\n</prior>)"
    r"|(?<=</thread-title>\n).*?(?=\n</prior>)|(<step name=\"\w+\" round=\"\d\">\n).*?(?=\n</step>)",
    re.DOTALL,
)


@pytest.fixture
async def model(provider: ScriptedProvider) -> AsyncIterator[ProviderModel]:
    made = make_model(provider.choice)
    assert isinstance(made, ProviderModel)
    yield made
    await made.aclose()


def obey(attack: Attack) -> dict[str, list[dict[str, Any]]]:
    """Each step as the hostile message wants it; qualities rise, so that only the limit ends the loops."""
    citations = [{"prior": prior, "quote": quote} for prior, quote in attack.citations]
    qualities = [0.1, 0.3, 0.5, 0.7, 0.9] if attack.loops else [0.5]
    experience = {"citations": citations, "patterns": [attack.answer[:1_900]], "insights": [attack.answer[:1_900]]}
    update = {"refinements": [attack.text[:1_900]], "learnings": [], "loop": attack.loops}
    answer = {"final_response": attack.answer, "citations": citations, "confidence": 1}
    return {
        "experience": [{"kind": "good", "output": experience}] * 9,
        "observation": [
            {"kind": "good", "output": {"analysis": attack.answer, "patterns": [], "quality": quality}}
            for quality in qualities
        ],
        "update": [{"kind": "good", "output": update}] * 9,
        "yield_": [{"kind": "good", "output": answer}],
    }


async def run_with(model: ProviderModel, text: str, title: str) -> list[AnyRunEvent]:
    priors = (make_prior(1, TEXT), msgspec.structs.replace(make_prior(2, text), title=title))
    request = RunRequest(run_id="run", prompt=PROMPT)
    run = ChorusRun(request, dict.fromkeys(Step, model), ScriptedSearch(priors), time.monotonic)
    async with asyncio.timeout(PATIENCE_SECONDS):
        return [event async for event in run.events()]


def skeleton(request: dict[str, Any]) -> str:
    """The user's message without what stands in data blocks."""
    return DATA.sub(lambda match: match[1] or "", request["body"]["messages"][1]["content"])


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.name)
async def test_attack(model: ProviderModel, provider: ScriptedProvider, attack: Attack) -> None:
    provider.play(**obey(attack))
    events = await run_with(model, attack.text, title=attack.text[:200])
    end = events[-1]
    assert isinstance(end, RunFinished)
    check_protocol(events, attack)
    check_answer(events, end, attack)
    for request in provider.seen():
        check_request(request, attack)


def check_protocol(events: list[AnyRunEvent], attack: Attack) -> None:
    rounds = 1 + MAX_LOOPS if attack.loops else 1
    steps = [event.step for event in events if isinstance(event, StepFinished)]
    assert steps == list(Step)[:-1] * rounds + [Step.YIELD]
    given = [prior.id for event in events if isinstance(event, PriorsFound) for prior in event.priors]
    assert given == ["p1", "p2"]


def check_answer(events: list[AnyRunEvent], end: RunFinished, attack: Attack) -> None:
    texts = {prior.id: prior.text for event in events if isinstance(event, PriorsFound) for prior in event.priors}
    for citation in end.citations:
        assert citation.quote in texts[citation.prior]
    cited = {citation.prior for citation in end.citations}
    assert set(re.findall(r"\[(p\d+)\]", end.answer)) <= cited
    assert [word for word in attack.gone if word in end.answer] == []
    assert end.removed_citations >= len(attack.citations)
    outputs = [event.output for event in events if isinstance(event, StepFinished)]
    written = repr(outputs)
    assert f"](https://{EVIL}" not in written
    assert "<img" not in written
    assert SECRET.text not in written


def without_spaces(text: str) -> str:
    return re.sub(r"[\s\u200b-\u200d]", "", text)


def check_request(request: dict[str, Any], attack: Attack) -> None:
    body = request["body"]
    step = Step(request["step"])
    system, user = body["messages"]
    assert (system["role"], user["role"]) == ("system", "user")
    assert system["content"] == system_prompt(step)
    assert not {"tools", "tool_choice", "functions", "function_call"} & body.keys()
    told = user["content"]
    shape = skeleton(request)
    assert "<" not in re.sub(r"</?(?:question|thread|transcript|priors|prior|step|thread-title)\b[^<>]*>", "", told)
    assert attack.text not in shape
    assert escape(attack.text) not in shape
    assert shape.count("<prior ") == shape.count("</prior>") == (0 if step is Step.ACTION else 2)
    assert re.findall(r'<prior id="(p\d+)"', told) == ([] if step is Step.ACTION else ["p1", "p2"])
    assert shape.rstrip().endswith(f"Write the step {step.value} now.")
    if step is not Step.ACTION and request["body"]["messages"][1]["content"].count("<step ") == 1:
        # It is there, as data. pydantic-ai breaks up some models' control words, with spaces.
        assert without_spaces(escape(attack.text)) in without_spaces(told)
    assert SECRET.text not in told


async def test_hostile_and_harmless_requests_have_one_shape(model: ProviderModel, provider: ScriptedProvider) -> None:
    shapes = []
    for text in ("A harmless message of somebody.", *[attack.text for attack in ATTACKS[:12]]):
        provider.play()
        await run_with(model, text, title=text)
        shapes.append([skeleton(request) for request in provider.seen()])
    assert all(shape == shapes[0] for shape in shapes)
    assert "</transcript>" in shapes[0][-1]


def test_there_are_many_attacks() -> None:
    assert len(ATTACKS) >= 40
    assert len({attack.name for attack in ATTACKS}) == len(ATTACKS)
