"""λ, how relaxed the network may be: it falls fast and rises slowly (design: coherence)."""

from msgspec import Struct

from choir.coherence.fixed import clamp, scale
from choir.coherence.params import CoherenceParams


class Attunement(Struct, frozen=True, kw_only=True):
    """``alpha`` is the factor that climbs towards the best ``objective``, in ``direction`` 1 or -1; ``objective`` is
    that of the epoch before, None before the first."""

    value: int
    alpha: int
    direction: int = 1
    objective: int | None = None


def first_attunement(params: CoherenceParams) -> Attunement:
    """Where a network begins."""
    return Attunement(value=params.first_attunement, alpha=params.first_alpha)


def next_attunement(
    before: Attunement, coherence: int, median_psi: int, gossip_load: int, params: CoherenceParams
) -> Attunement:
    """λ and α after an epoch. λ moves towards α · Ĉ · median(Ψ) within its limits. α climbs on Ĉ − 0.1 · load: a step
    on where that rose, a step back where it fell, and none where it stayed. ``gossip_load`` is bytes / budget."""
    objective = coherence - scale(params.gossip_weight, gossip_load)
    change = 0 if before.objective is None else objective - before.objective
    direction = -before.direction if change < 0 else before.direction
    step = params.alpha_step * direction if change else 0
    alpha = clamp(before.alpha + step, params.least_alpha, params.most_alpha)
    wanted = scale(scale(alpha, coherence), median_psi)
    nearest = clamp(wanted, before.value - params.most_fall, before.value + params.most_rise)
    value = clamp(nearest, params.least_attunement, params.most_attunement)
    return Attunement(value=value, alpha=alpha, direction=direction, objective=objective)


def epoch_length_ms(attunement: int, params: CoherenceParams) -> int:
    """How long an epoch lasts at λ: shorter the less the network agrees."""
    return max(params.least_epoch_ms, scale(params.base_epoch_ms, attunement))
