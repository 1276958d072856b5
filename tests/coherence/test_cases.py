"""The mathematics against what was worked by hand."""

import pytest

from choir.coherence.agreement import ShardAgreement, agreement, coherence_density, probe_agreement, proven_agreement
from choir.coherence.attunement import epoch_length_ms, next_attunement
from choir.coherence.epoch import close_epoch, first_state
from choir.coherence.fixed import ONE, mean_absolute_deviation, median, share
from choir.coherence.scores import Score, next_score
from choir.coherence.sketch import EMPTY, make_sketch, sketch_agreement
from tests.coherence.cases import (
    ATTUNEMENTS,
    EPOCH_LENGTHS_MS,
    EPOCHS,
    IDS,
    PARAMS,
    SCORES,
    SEED,
    AttunementCase,
    EpochCase,
    ScoreCase,
)


@pytest.mark.parametrize("case", SCORES, ids=lambda case: case.name)
def test_psi(case: ScoreCase) -> None:
    before = Score(psi=case.psi, agreements=case.past)
    after = next_score(before, case.agreement, case.missed, case.due, PARAMS)
    assert after.psi == case.expected
    assert after.agreements == (*case.past, case.agreement)[-8:]


@pytest.mark.parametrize("case", ATTUNEMENTS, ids=lambda case: case.name)
def test_attunement(case: AttunementCase) -> None:
    assert next_attunement(case.before, case.coherence, case.median_psi, case.gossip_load, PARAMS) == case.expected


@pytest.mark.parametrize(("attunement", "length_ms"), EPOCH_LENGTHS_MS.items())
def test_epoch_length(attunement: int, length_ms: int) -> None:
    assert epoch_length_ms(attunement, PARAMS) == length_ms


@pytest.mark.parametrize("case", EPOCHS, ids=lambda case: case.name)
def test_epoch(case: EpochCase) -> None:
    outcome = close_epoch(case.before or first_state(PARAMS), case.stakes, case.reports, 0, PARAMS)
    assert outcome.coherence == case.coherence
    assert outcome.agreements == case.agreements
    assert {name: score.psi for name, score in outcome.state.scores.items()} == case.psi
    assert outcome.state.attunement.value == case.attunement


@pytest.mark.parametrize(
    ("own", "reference", "expected"),
    [
        ([], [], ONE),
        ([[1, 2]], [[]], ONE),
        ([[2, 1]], [[1, 2]], ONE),
        ([[1, 3]], [[1, 2]], 500_000),
        ([[], []], [[1, 2], [3]], 0),
        ([[1, 2], [4]], [[1, 2], [3]], 666_666),
    ],
)
def test_probe_agreement(own: list[list[int]], reference: list[list[int]], expected: int) -> None:
    assert probe_agreement(own, reference) == expected


def test_what_a_sketch_says_counts_as_far_as_it_is_proven() -> None:
    assert proven_agreement(ONE, 8, 8) == ONE
    assert proven_agreement(ONE, 7, 8) == 875_000
    assert proven_agreement(500_000, 8, 8) == 500_000
    assert proven_agreement(ONE, 0, 0) == ONE, "nothing was challenged"


def test_who_reports_nothing_agrees_with_nobody() -> None:
    assert coherence_density({"a": ONE}, {"a": 1, "b": 1}) == 500_000
    assert coherence_density({}, {"a": 1}) == 0
    assert coherence_density({"a": ONE}, {}) == 0
    assert agreement([ShardAgreement(0, 0)]) == 0


def test_sketches_of_known_sets() -> None:
    whole, half = make_sketch(SEED, IDS), make_sketch(SEED, IDS[:20])
    assert make_sketch(SEED, []) == EMPTY
    assert sketch_agreement(EMPTY, EMPTY) == ONE
    assert sketch_agreement(whole, whole) == ONE
    assert sketch_agreement(whole, EMPTY) == 0
    assert sketch_agreement(make_sketch(SEED, IDS[:1]), make_sketch(SEED, IDS[1:2])) == 0
    # The Jaccard index is 0.5 and the standard error 0.044: five of them.
    assert abs(sketch_agreement(whole, half) - 500_000) < 220_000
    assert make_sketch(SEED[::-1], IDS) != whole, "the salt decides which records are in a sketch"


@pytest.mark.parametrize(
    ("values", "middle", "deviation"),
    [([5], 5, 0), ([1, 2], 1, 0), ([3, 1, 2], 2, 0), ([0, 10], 5, 5), ([0, 0, 9], 0, 4), ([4, 1, 3, 2], 2, 1)],
)
def test_median_and_deviation(values: list[int], middle: int, deviation: int) -> None:
    assert median(values) == middle
    assert mean_absolute_deviation(values) == deviation


def test_all_of_nothing_is_one() -> None:
    assert (share(0, 0), share(0, 3), share(1, 3), share(3, 3)) == (ONE, 0, 333_333, ONE)
