"""The measurement of live delivery runs through, small, and every figure it prints is documented."""

from pathlib import Path

import pytest

from choir.bench import realtime

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "performance.md"


async def test_every_figure_is_measured_and_documented(monkeypatch: pytest.MonkeyPatch) -> None:
    small = {"MOST_CLIENTS": 4, "SOME_CLIENTS": 2, "PACED_MESSAGES": 6, "BURST_MESSAGES": 5, "_SETTLING_SECONDS": 0.0}
    for name, value in small.items():
        monkeypatch.setattr(realtime, name, value)
    told: list[str] = []
    figures = await realtime.measure(told.append)
    text = PAGE.read_text("utf-8")
    for name, value in figures.items():
        documented = name.replace("_at_4", "_at_1000").replace("_at_2", "_at_100")
        assert f"`{documented}`" in text, name
        assert value > 0 or "idle" in name or "ratio" in name, name
    assert len(told) == 4
