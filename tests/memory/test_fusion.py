"""How keyword scores, similarities and threads make one order."""

from collections.abc import Mapping

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from choir.memory.fusion import SUPPORT, best_per_group, fuse, supported


def fused(keyword: Mapping[int, float], similarity: Mapping[int, float], keyword_weight: float) -> dict[int, float]:
    """By id, best first."""
    ids = sorted(keyword.keys() | similarity.keys())
    scores = fuse(
        np.array([keyword.get(i, 0.0) for i in ids]), np.array([similarity.get(i, 0.0) for i in ids]), keyword_weight
    )
    return dict(sorted(zip(ids, scores.tolist(), strict=True), key=lambda item: (-item[1], item[0])))


def test_fusion() -> None:
    assert fused({1: 10.0, 2: 5.0}, {2: 0.5, 3: -0.2}, 0.7) == {1: 0.7, 2: pytest.approx(0.5), 3: 0.0}
    # Rounding may lift a cosine above 1; a score never is.
    assert fused({1: 3.0}, {1: 1.0000001}, 0.7) == {1: pytest.approx(1.0, abs=1e-12)}
    assert fused({}, {}, 0.5) == {}
    assert fused({}, {2: -0.5, 1: -0.1}, 0.5) == {1: 0.0, 2: 0.0}


def test_what_resembles_little_moves_little() -> None:
    """Nothing is like the query: the best of it is no reason to leave the order of the words."""
    by_words = {1: 10.0, 2: 9.0, 3: 2.0}
    assert list(fused(by_words, {1: 0.01, 2: 0.02, 3: 0.05}, 0.7)) == [1, 2, 3]
    assert list(fused(by_words, {1: 0.1, 2: 0.9, 3: 0.2}, 0.7)) == [2, 1, 3]


def test_the_best_message_of_a_thread_is_supported_by_the_next_two() -> None:
    ids = np.array([10, 11, 12, 13, 20, 30])
    threads = np.array([1, 1, 1, 1, 2, 3])
    scores = np.array([0.4, 0.8, 0.5, 0.3, 0.8, 0.0])
    gained = 0.8 + SUPPORT * (0.5 + 0.4)
    assert supported(ids, scores, threads) * 1.2 == pytest.approx([0.4, gained, 0.5, 0.3, 0.8, 0.0])


def test_of_equal_messages_the_one_with_the_lower_id_is_supported() -> None:
    found = supported(np.array([9, 7]), np.array([0.5, 0.5]), np.array([4, 4]))
    assert found * 1.2 == pytest.approx([0.5, 0.55])


def test_without_messages_there_is_nothing_to_support() -> None:
    assert not len(supported(np.array([], np.int64), np.array([]), np.array([], np.int64)))


@given(
    st.lists(st.tuples(st.integers(0, 4), st.integers(0, 20)), min_size=1, max_size=30),
    st.integers(0, 2**32 - 1),
)
def test_support_is_a_plain_sum_over_each_thread(messages: list[tuple[int, int]], seed: int) -> None:
    """Against the plain rule, whatever the order in which the messages come."""
    ids = np.random.default_rng(seed).permutation(len(messages))
    threads = np.array([thread for thread, _ in messages])
    scores = np.array([score / 20 for _, score in messages])
    found = supported(ids, scores, threads)
    for thread in set(threads.tolist()):
        members = sorted(np.flatnonzero(threads == thread).tolist(), key=lambda i: (-scores[i], ids[i]))
        first, *others = members
        assert found[first] * 1.2 == pytest.approx(scores[first] + SUPPORT * sum(scores[i] for i in others[:2]))
        assert found[others] * 1.2 == pytest.approx(scores[others])
    assert found.min() >= 0
    assert found.max().round(6) <= 1, "as rounded for an order"


def test_groups_rank_by_their_best() -> None:
    assert best_per_group([(1, 0.5), (2, 0.9), (3, 0.9)], {1: 10, 2: 11, 3: 10}) == [(10, 0.9), (11, 0.9)]
