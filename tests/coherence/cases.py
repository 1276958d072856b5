"""Cases worked by hand; and what nobody works by hand, sketches and draws, as it goes into the vectors."""

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import msgspec

from choir.coherence.agreement import ShardAgreement
from choir.coherence.attunement import Attunement, epoch_length_ms, next_attunement
from choir.coherence.draws import draw_bytes, draw_indices, draw_probe
from choir.coherence.epoch import CoherenceState, Report, close_epoch, first_state
from choir.coherence.params import CoherenceParams
from choir.coherence.scores import Score, next_score
from choir.coherence.sketch import make_sketch, sketch_agreement, sketch_bytes

PARAMS: Final = CoherenceParams()
SEED: Final = bytes(range(32))
IDS: Final = [bytes([number]) * 32 for number in range(40)]


class ScoreCase(NamedTuple):
    """Ψ after an epoch with agreement ``agreement``, in which ``missed`` of ``due`` duties were missed."""

    name: str
    psi: int
    past: tuple[int, ...]
    agreement: int
    missed: int
    due: int
    expected: int


SCORES: Final = [
    ScoreCase("steady and perfect: (0.7 + 1) / 2", 700_000, (), 1_000_000, 0, 9, 850_000),
    ScoreCase("half of the duties missed: (0.7 + 1 - 0.25) / 2", 700_000, (), 1_000_000, 1, 2, 725_000),
    # The mean of 1, 1, 1 and 0.6 is 0.9, the mean deviation (3 · 0.1 + 0.3) / 4 = 0.15, so V = 0.3 and 0.3 · V = 0.09.
    ScoreCase("unsteady: (1 + 0.6 - 0.09) / 2", 1_000_000, (1_000_000,) * 3, 600_000, 0, 9, 755_000),
    ScoreCase("nothing agrees and nothing was done: 0.7 / 2", 700_000, (), 0, 1, 1, 350_000),
    ScoreCase("what is lost beyond zero is not counted", 500_000, (1_000_000,) * 7, 100_000, 1, 1, 250_000),
    ScoreCase("the ninth epoch back is forgotten", 1_000_000, (0, *(1_000_000,) * 7), 1_000_000, 0, 1, 1_000_000),
    ScoreCase("rounded down: (700,001 + 1,000,000) / 2", 700_001, (), 1_000_000, 0, 1, 850_000),
]


class AttunementCase(NamedTuple):
    name: str
    before: Attunement
    coherence: int
    median_psi: int
    gossip_load: int
    expected: Attunement


def _attunement(value: int, alpha: int, direction: int, objective: int | None) -> Attunement:
    return Attunement(value=value, alpha=alpha, direction=direction, objective=objective)


ATTUNEMENTS: Final = [
    AttunementCase(
        "rises by 0.05 at most",
        _attunement(700_000, 1_000_000, 1, None),
        1_000_000,
        850_000,
        0,
        _attunement(750_000, 1_000_000, 1, 1_000_000),
    ),
    AttunementCase(
        "falls by 0.25 at most; where the objective fell, alpha turns round",
        _attunement(1_000_000, 1_000_000, 1, 1_000_000),
        500_000,
        500_000,
        0,
        _attunement(750_000, 980_000, -1, 500_000),
    ),
    AttunementCase(
        "arrives where it wants to be: 1.02 · 0.9 · 0.8 = 0.7344",
        _attunement(730_000, 1_000_000, 1, 800_000),
        900_000,
        800_000,
        0,
        _attunement(734_400, 1_020_000, 1, 900_000),
    ),
    AttunementCase(
        "never below 0.3",
        _attunement(400_000, 1_000_000, 1, 0),
        0,
        0,
        0,
        _attunement(300_000, 1_000_000, 1, 0),
    ),
    AttunementCase(
        "never above 1, and alpha never above 1.2",
        _attunement(990_000, 1_200_000, 1, 900_000),
        1_000_000,
        1_000_000,
        0,
        _attunement(1_000_000, 1_200_000, 1, 1_000_000),
    ),
    AttunementCase(
        "alpha never below 0.8; going back it goes on going back while that is better: 0.8 · 1 · 1",
        _attunement(800_000, 810_000, -1, 900_000),
        1_000_000,
        1_000_000,
        0,
        _attunement(800_000, 800_000, -1, 1_000_000),
    ),
    AttunementCase(
        "a full budget of gossip counts a tenth: the objective is 0.9",
        _attunement(950_000, 1_000_000, 1, 900_000),
        1_000_000,
        1_000_000,
        1_000_000,
        _attunement(1_000_000, 1_000_000, 1, 900_000),
    ),
]

EPOCH_LENGTHS_MS: Final = {1_000_000: 60_000, 300_000: 18_000, 500_000: 30_000, 100_000: 10_000, 0: 10_000}


class EpochCase(NamedTuple):
    """One epoch after `first_state`, or after ``before``."""

    name: str
    stakes: dict[str, int]
    reports: dict[str, Report]
    coherence: int
    agreements: dict[str, int]
    psi: dict[str, int]
    attunement: int
    before: CoherenceState | None = None


def _report(*shards: tuple[int, int], missed: int = 0, due: int = 9) -> Report:
    return Report(tuple(ShardAgreement(*shard) for shard in shards), missed, due)


_PERFECT: Final = _report((1_000_000, 1_000_000))
EPOCHS: Final = [
    EpochCase("one node, all well", {"a": 1}, {"a": _PERFECT}, 1_000_000, {"a": 1_000_000}, {"a": 850_000}, 750_000),
    EpochCase(
        "one node, one of eight records gone: (0.875 + 1) / 2; Ψ (0.7 + 0.9375 - 0.055555) / 2",
        {"a": 1},
        {"a": _report((875_000, 1_000_000), missed=1)},
        937_500,
        {"a": 937_500},
        {"a": 790_972},
        741_536,
    ),
    EpochCase(
        "one of four is gone: 0.75, and the median of three good scores and one bad is good",
        dict.fromkeys("abcd", 10),
        dict.fromkeys("abc", _PERFECT),
        750_000,
        {"a": 1_000_000, "b": 1_000_000, "c": 1_000_000, "d": 0},
        {"a": 850_000, "b": 850_000, "c": 850_000, "d": 350_000},
        637_500,
    ),
    EpochCase(
        "stake weighs: (3 · 1 + 1 · 0.5) / 4",
        {"a": 3, "b": 1},
        {"a": _PERFECT, "b": _report((400_000, 600_000))},
        875_000,
        {"a": 1_000_000, "b": 500_000},
        {"a": 850_000, "b": 600_000},
        634_375,
    ),
    EpochCase(
        "the mean over two shards: (1 + 1 + 0.5 + 0.3) / 4",
        {"a": 1},
        {"a": _report((1_000_000, 1_000_000), (500_000, 300_000))},
        700_000,
        {"a": 700_000},
        {"a": 700_000},
        490_000,
    ),
    EpochCase(
        "who has no stake any more is forgotten, and a stranger's report counts nothing",
        {"b": 1},
        {"a": _PERFECT, "b": _PERFECT},
        1_000_000,
        {"b": 1_000_000},
        {"b": 850_000},
        750_000,
        CoherenceState(attunement=_attunement(700_000, 1_000_000, 1, None), scores={"a": Score(psi=1)}),
    ),
]


def cases() -> list[dict[str, Any]]:
    """What vectors/coherence.json holds."""
    found = [*_drawn(), *_sketched()]
    for score in SCORES:
        before = Score(psi=score.psi, agreements=score.past)
        after = next_score(before, score.agreement, score.missed, score.due, PARAMS)
        given = {"before": before, "agreement": score.agreement, "missed": score.missed, "due": score.due}
        found.append(_case("score", score.name, given, after))
    for moved in ATTUNEMENTS:
        given = {"before": moved.before, "coherence": moved.coherence, "median_psi": moved.median_psi}
        after_ = next_attunement(moved.before, moved.coherence, moved.median_psi, moved.gossip_load, PARAMS)
        found.append(_case("attunement", moved.name, {**given, "gossip_load": moved.gossip_load}, after_))
    for value in EPOCH_LENGTHS_MS:
        found.append(_case("epoch_length", f"λ = {value}", {"attunement": value}, epoch_length_ms(value, PARAMS)))
    for epoch in EPOCHS:
        before_ = epoch.before or first_state(PARAMS)
        outcome = close_epoch(before_, epoch.stakes, epoch.reports, 0, PARAMS)
        reports = {name: report._asdict() for name, report in epoch.reports.items()}
        given = {"before": before_, "stakes": epoch.stakes, "reports": reports, "gossip_load": 0}
        found.append(_case("epoch", epoch.name, given, outcome._asdict()))
    return found


def _drawn() -> list[dict[str, Any]]:
    point = {"seed": SEED.hex(), "label": "records", "length": 32}
    some, all_ = {"label": "challenges", "count": 8, "among": 1000}, {"label": "challenges", "count": 8, "among": 5}
    probe = {"seed": SEED.hex(), "number": 0, "dimensions": 16}
    return [
        _case("draw_bytes", "a point among the hashes", point, draw_bytes(SEED, "records", 32).hex()),
        _case("draw_indices", "8 of 1,000", {"seed": SEED.hex(), **some}, draw_indices(SEED, "challenges", 8, 1000)),
        _case("draw_indices", "8 of 5 are all 5", {"seed": SEED.hex(), **all_}, draw_indices(SEED, "challenges", 8, 5)),
        _case("draw_probe", "16 dimensions", probe, draw_probe(SEED, 0, 16)),
    ]


def _sketched() -> list[dict[str, Any]]:
    sets: dict[str, Sequence[bytes]] = {"no record": [], "one record": IDS[:1], "forty records": IDS}
    whole = make_sketch(SEED, IDS)
    found = []
    for name, ids in sets.items():
        sketch = make_sketch(SEED, ids)
        given = {"salt": SEED.hex(), "record_ids": [record_id.hex() for record_id in ids]}
        expected = {"sketch": sketch_bytes(sketch).hex(), "agreement_with_forty": sketch_agreement(sketch, whole)}
        found.append(_case("sketch", name, given, expected))
    return found


def _case(kind: str, name: str, given: dict[str, Any], expected: Any) -> dict[str, Any]:
    case: dict[str, Any] = msgspec.to_builtins({"kind": kind, "name": name, "given": given, "expected": expected})
    return case
