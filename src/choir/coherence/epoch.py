"""The end of an epoch: reports are compared, and Ĉ, Ψ, λ and α follow (design: coherence, "Epochs")."""

from collections.abc import Mapping
from typing import NamedTuple

from msgspec import Struct

from choir.coherence.agreement import ShardAgreement, agreement, coherence_density
from choir.coherence.attunement import Attunement, first_attunement, next_attunement
from choir.coherence.fixed import median
from choir.coherence.params import CoherenceParams
from choir.coherence.scores import Score, next_score


class Report(NamedTuple):
    """What a validator's report came to, once compared: its shards, and how many of its duties it missed."""

    shards: tuple[ShardAgreement, ...]
    missed: int
    due: int


NO_REPORT = Report(shards=(ShardAgreement(0, 0),), missed=1, due=1)


class CoherenceState(Struct, frozen=True, kw_only=True):
    """What goes over from one epoch to the next."""

    attunement: Attunement
    scores: dict[str, Score] = {}


class EpochOutcome(NamedTuple):
    """What an epoch came to: Ĉ, each validator's A, and the state after it, which holds Ψ, λ and α."""

    coherence: int
    agreements: dict[str, int]
    state: CoherenceState


def first_state(params: CoherenceParams) -> CoherenceState:
    """Before anything was measured."""
    return CoherenceState(attunement=first_attunement(params))


def close_epoch(
    before: CoherenceState,
    stakes: Mapping[str, int],
    reports: Mapping[str, Report],
    gossip_load: int,
    params: CoherenceParams,
) -> EpochOutcome:
    """Close an epoch for the validators that have stake, of which there is at least one. Who brought no report agrees
    with nobody and has missed what was due; who is no validator any more is forgotten."""
    agreements: dict[str, int] = {}
    scores: dict[str, Score] = {}
    for validator in sorted(stakes):
        report = reports.get(validator, NO_REPORT)
        agreements[validator] = agreement(report.shards)
        score = before.scores.get(validator, Score(psi=params.first_psi))
        scores[validator] = next_score(score, agreements[validator], report.missed, report.due, params)
    coherence = coherence_density(agreements, stakes)
    median_psi = median([score.psi for score in scores.values()])
    attunement = next_attunement(before.attunement, coherence, median_psi, gossip_load, params)
    return EpochOutcome(coherence, agreements, CoherenceState(attunement=attunement, scores=scores))
