"""Ψ, a validator's score: steady, present and in agreement (design: coherence)."""

from collections.abc import Sequence

from msgspec import Struct

from choir.coherence.fixed import ONE, clamp, mean_absolute_deviation, scale, share
from choir.coherence.params import CoherenceParams


class Score(Struct, frozen=True, kw_only=True):
    """A validator's score and the agreements of its last epochs, newest last."""

    psi: int
    agreements: tuple[int, ...] = ()


def unsteadiness(agreements: Sequence[int]) -> int:
    """V: twice the mean absolute deviation, at most `ONE`."""
    return min(ONE, 2 * mean_absolute_deviation(agreements))


def next_score(score: Score, agreement: int, missed: int, due: int, params: CoherenceParams) -> Score:
    """The score after an epoch: half of what it was, half of A − 0.5·D − 0.3·V, where D is the share of duties missed
    (votes, reports, challenges) and V the unsteadiness with this epoch's agreement."""
    agreements = (*score.agreements, agreement)[-params.agreements_remembered :]
    missing = share(missed, due) if due else 0
    lost = scale(params.missed_weight, missing) + scale(params.unsteady_weight, unsteadiness(agreements))
    return Score(psi=(score.psi + clamp(agreement - lost, 0, ONE)) // 2, agreements=agreements)
