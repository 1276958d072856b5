"""The constants of the mathematics (design: coherence). Fixed point, unless a unit is named."""

from msgspec import Struct

from choir.coherence.fixed import ONE


class CoherenceParams(Struct, frozen=True, kw_only=True):
    """``challenges``, ``probes`` and ``answers_per_probe`` are counts; ``agreements_remembered`` is how many epochs the
    steadiness of a validator is judged by."""

    challenges: int = 8
    probes: int = 8
    answers_per_probe: int = 10

    first_psi: int = 700_000
    missed_weight: int = 500_000
    unsteady_weight: int = 300_000
    agreements_remembered: int = 8

    # α · Ĉ · median(Ψ) as it is before anything was measured.
    first_attunement: int = 700_000
    least_attunement: int = 300_000
    most_attunement: int = ONE
    most_rise: int = 50_000
    most_fall: int = 250_000

    first_alpha: int = ONE
    least_alpha: int = 800_000
    most_alpha: int = 1_200_000
    alpha_step: int = 20_000
    gossip_weight: int = 100_000

    base_epoch_ms: int = 60_000
    least_epoch_ms: int = 10_000
