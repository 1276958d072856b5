"""Ranges and edges of the semantic quantities."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from choir.memory.quantities import centroid, coherence, entanglement, phase, resonance, total_resonance

DIMENSIONS = 4
numbers = st.floats(-1, 1, allow_nan=False, width=32)


def _unit(values: list[float]) -> np.ndarray:
    vector = np.array(values)
    return (vector / np.linalg.norm(vector)).astype(np.float32)


units = (
    st.lists(numbers, min_size=DIMENSIONS, max_size=DIMENSIONS)
    .filter(lambda values: max(map(abs, values)) > 1e-3)
    .map(_unit)
)
sets = st.sets(st.integers(0, 9))


@given(units, units)
def test_resonance(a: np.ndarray, b: np.ndarray) -> None:
    assert 0 <= resonance(a, b) <= 1
    assert resonance(a, b) == pytest.approx(resonance(b, a), abs=1e-6)
    assert resonance(a, a) == pytest.approx(1, abs=1e-6)
    assert resonance(a, -a) == 0


@given(units, units, st.lists(units, min_size=1, max_size=5))
def test_phase(a: np.ndarray, b: np.ndarray, thread: list[np.ndarray]) -> None:
    middle = centroid(np.array(thread))
    assert 0 <= phase(a, b, middle) <= math.pi
    if np.linalg.norm(a - middle) > 1e-3:
        assert phase(a, a, middle) == pytest.approx(0, abs=1e-3)
        assert phase(a, 2 * middle - a, middle) == pytest.approx(math.pi, abs=1e-2)


def test_phase_of_a_message_at_the_centroid_is_neither_with_nor_against() -> None:
    alone = _unit([1, 2, 3, 4])
    assert phase(alone, _unit([4, 3, 2, 1]), centroid(alone[None])) == math.pi / 2


@given(sets, sets)
def test_entanglement(a: set[int], b: set[int]) -> None:
    assert 0 <= entanglement(a, b) <= 1
    assert entanglement(a, b) == entanglement(b, a)
    assert entanglement(a, a) == (1 if a else 0)
    assert (entanglement(a, b) > 0) == bool(a & b)


@given(units, st.lists(units, max_size=6))
def test_coherence(message: np.ndarray, priors: list[np.ndarray]) -> None:
    value = coherence(message, priors)
    assert 0 <= value <= 1
    if len(priors) < 2:
        assert value == 1
    assert coherence(message, priors[::-1]) == pytest.approx(value, abs=1e-6)
    assert coherence(message, [message] * 3) == pytest.approx(1, abs=1e-6)


def test_coherence_weighs_pairs_by_their_resonance_with_the_message() -> None:
    x, y, z = np.eye(3, dtype=np.float32)
    near, far = _unit([1, 0.2, 0]), _unit([1, 0, 0.2])
    assert coherence(x, [near, far, -x]) == pytest.approx(resonance(near, far), abs=1e-6)
    assert coherence(x, [y, z]) == 0
    assert coherence(x, [y, y]) == pytest.approx(1)


@given(units, st.lists(units, max_size=6))
def test_total_resonance(message: np.ndarray, priors: list[np.ndarray]) -> None:
    value = total_resonance(message, priors)
    assert 0 <= value <= 1
    if priors:
        assert value >= max(resonance(message, prior) for prior in priors) - 1e-9
        assert value >= total_resonance(message, priors[1:]) - 1e-9
    else:
        assert value == 0


def test_no_messages_no_centroid() -> None:
    with pytest.raises(ValueError, match="centroid"):
        centroid(np.empty((0, 4), dtype=np.float32))
