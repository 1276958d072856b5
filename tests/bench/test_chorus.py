"""The chorus bench: a model that keeps its pace, and a whole small run."""

import asyncio
import json
from pathlib import Path

import aiohttp
import pytest

from choir.bench import chorus
from choir.bench.chorus import Watched, _compare, _running_model
from choir.bench.model_server import Pace, Timing
from choir.chorus.models.shape import parse_output
from choir.chorus.steps import Step

MS = 1_000_000
STEPS = [step.value for step in Step]


async def test_the_model_writes_every_step_in_its_form_and_tells_when() -> None:
    async with _running_model(Pace(first_ms=5, pieces=4, gap_ms=1)) as url, aiohttp.ClientSession(url) as session:
        for step in STEPS:
            asked = {"response_format": {"json_schema": {"name": step}}}
            async with session.post("/v1/chat/completions", json=asked) as response:
                lines = (await response.text()).splitlines()
            pieces = [line.removeprefix("data: ") for line in lines if line.startswith("data: {")]
            assert "data: [DONE]" in lines
            text = "".join(_content(piece) for piece in pieces)
            assert parse_output(Step(step), text)
        async with session.get("/timings") as response:
            timings = await response.json()
        async with session.get("/timings") as response:
            assert await response.json() == [], "each is told once"
    assert [timing["step"] for timing in timings] == STEPS
    for timing in timings:
        assert timing["asked_ns"] + 5 * MS <= timing["first_ns"] + MS
        assert timing["first_ns"] <= timing["ended_ns"]


def test_what_is_choirs_is_all_that_is_not_the_models() -> None:
    timings, first, finished = [], {}, {}
    for number, step in enumerate(STEPS):
        asked = number * 130 + 10  # 10 ms before the model is asked, 100 ms of its own, 20 ms after it
        timings.append(Timing(step, asked * MS, (asked + 40) * MS, (asked + 100) * MS))
        first[step], finished[step] = (asked + 43) * MS, (asked + 120) * MS
    run = Watched(0, first, finished, finished["yield"] + 5 * MS)
    figures = _compare([(run, timings)])
    assert (figures["step_added_ms_p50"], figures["step_added_ms_p99"]) == (30.0, 30.0)
    assert (figures["model_ms_per_step"], figures["first_token_added_ms_p50"]) == (100.0, 3.0)
    assert figures["run_added_ms_p50"] == 185.0
    with pytest.raises(RuntimeError, match="5 times"):
        _compare([(run, timings[:5])])


def test_a_small_run_gives_every_figure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(3):
        body = "\n\n".join(f"Paragraph {n} of {number} tells of herons that stand in water." for n in range(9))
        (tmp_path / f"{number}.md").write_text(f"# Herons {number}\n\n{body}\n\n## Fishing {number}\n\nThey wait.\n")
    monkeypatch.setattr(chorus, "PACE", Pace(first_ms=1, pieces=3, gap_ms=1))
    told: list[str] = []
    figures = asyncio.run(chorus.measure(tmp_path, told.append, runs=3, records=60))
    assert (figures["runs"], figures["records"]) == (3, 60)
    assert len(told) == 3
    for name in ("step_added", "first_token_added", "run_added", "extractive_run", "extractive_first_token"):
        assert 0 < figures[f"{name}_ms_p50"] <= figures[f"{name}_ms_p99"]
    assert {f"{step}_added_ms_p50" for step in STEPS} <= figures.keys()


def _content(piece: str) -> str:
    choices = json.loads(piece)["choices"]
    return str(choices[0]["delta"].get("content", "")) if choices else ""
