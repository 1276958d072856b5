"""Long work sleeps now and then, and loses nothing by it."""

import pytest

from choir.memory import courtesy
from choir.memory.courtesy import courteous


class Clock:
    """Time that passes only as it is told to."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.sleeps: list[float] = []

    def perf_counter(self) -> float:
        return self.seconds

    def sleep(self, seconds: float) -> None:
        self.sleeps.append(self.seconds)
        self.seconds += seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(courtesy, "time", made)
    return made


def test_short_work_is_not_interrupted(clock: Clock) -> None:
    assert list(courteous(range(1_000))) == list(range(1_000))
    assert clock.sleeps == []


def test_long_work_sleeps_every_two_milliseconds(clock: Clock) -> None:
    done = []
    for item in courteous("abcdefgh"):
        clock.seconds += 0.0011
        done.append(item)
    assert "".join(done) == "abcdefgh"
    assert len(clock.sleeps) == 4


def test_whoever_stops_early_is_not_kept(clock: Clock) -> None:
    assert next(courteous([1, 2])) == 1
    assert list(courteous([])) == []
