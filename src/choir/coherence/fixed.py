"""Fixed point: 1.0 is `ONE` = 10^6, and every division rounds down (design: coherence)."""

from collections.abc import Sequence
from typing import Final

ONE: Final = 1_000_000


def share(part: int, whole: int) -> int:
    """``part`` of ``whole``; all of nothing is `ONE`, since nothing is missing from it."""
    return ONE if whole == 0 else part * ONE // whole


def scale(value: int, factor: int) -> int:
    """The product of two fixed-point numbers."""
    return value * factor // ONE


def clamp(value: int, low: int, high: int) -> int:
    """The nearest number to ``value`` within ``low`` … ``high``."""
    return max(low, min(high, value))


def mean(values: Sequence[int]) -> int:
    """Raises ``ZeroDivisionError`` where there is none."""
    return sum(values) // len(values)


def median(values: Sequence[int]) -> int:
    """The middle one, or the mean of the two in the middle. Raises ``IndexError`` where there is none."""
    ordered = sorted(values)
    half = len(ordered) // 2
    return ordered[half] if len(ordered) % 2 else (ordered[half - 1] + ordered[half]) // 2


def mean_absolute_deviation(values: Sequence[int]) -> int:
    """The mean distance from the mean, rounded once; 0 for none."""
    count, total = len(values), sum(values)
    return sum(abs(value * count - total) for value in values) // (count * count) if count else 0
