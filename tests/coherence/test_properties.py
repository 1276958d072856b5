"""What holds for every input: ranges, order, monotonicity, and that equal inputs give equal outputs."""

from hypothesis import given
from hypothesis import strategies as st

from choir.coherence.agreement import ShardAgreement
from choir.coherence.draws import draw_indices, draw_probe
from choir.coherence.epoch import CoherenceState, Report, close_epoch, first_state
from choir.coherence.fixed import ONE
from choir.coherence.scores import Score, next_score
from choir.coherence.sketch import make_sketch, sketch_agreement
from tests.coherence.cases import PARAMS

fractions = st.integers(0, ONE)
ids = st.binary(min_size=1, max_size=8)
seeds = st.binary(min_size=32, max_size=32)
shards = st.builds(ShardAgreement, fractions, fractions)


@st.composite
def reports(draw: st.DrawFn) -> Report:
    due = draw(st.integers(0, 20))
    return Report(tuple(draw(st.lists(shards, max_size=4))), draw(st.integers(0, due)), due)


networks = st.dictionaries(st.sampled_from("abcdefg"), st.integers(1, 10**16), min_size=1)
made_reports = st.dictionaries(st.sampled_from("abcdefg"), reports())
scores = st.builds(Score, psi=fractions, agreements=st.lists(fractions, max_size=8).map(tuple))


@given(seeds, st.lists(ids), st.randoms(use_true_random=False))
def test_a_sketch_is_of_the_set_alone(salt: bytes, members: list[bytes], random: object) -> None:
    shuffled = members + members[:2]
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert make_sketch(salt, members) == make_sketch(salt, shuffled)


@given(seeds, st.sets(ids), st.sets(ids))
def test_agreement_of_sketches_is_symmetric_and_in_range(salt: bytes, one: set[bytes], other: set[bytes]) -> None:
    first, second = make_sketch(salt, sorted(one)), make_sketch(salt, sorted(other))
    found = sketch_agreement(first, second)
    assert 0 <= found <= ONE
    assert found == sketch_agreement(second, first)
    if one == other:
        assert found == ONE


@given(seeds, st.lists(ids, unique=True, min_size=1), st.data())
def test_losing_more_never_agrees_more(salt: bytes, members: list[bytes], data: st.DataObject) -> None:
    """A slot that has left its least member never comes back by leaving others."""
    fewer = data.draw(st.integers(0, len(members)))
    least = data.draw(st.integers(0, fewer))
    whole = make_sketch(salt, members)
    assert sketch_agreement(make_sketch(salt, members[:least]), whole) <= sketch_agreement(
        make_sketch(salt, members[:fewer]), whole
    )


@given(seeds, st.integers(0, 40), st.integers(0, 60))
def test_drawn_numbers_are_different_and_in_range(seed: bytes, count: int, among: int) -> None:
    drawn = draw_indices(seed, "challenges", count, among)
    assert len(drawn) == len(set(drawn)) == min(count, among)
    assert all(0 <= number < among for number in drawn)
    assert drawn == draw_indices(seed, "challenges", count, among)


@given(seeds, st.integers(0, 7), st.integers(1, 400))
def test_probes_of_more_dimensions_begin_alike(seed: bytes, number: int, dimensions: int) -> None:
    probe = draw_probe(seed, number, dimensions)
    assert len(probe) == dimensions
    assert draw_probe(seed, number, dimensions + 3)[:dimensions] == probe
    assert all(-(2**15) <= part < 2**15 for part in probe)


@given(
    networks, st.dictionaries(st.sampled_from("abcdefg"), reports()), st.dictionaries(st.sampled_from("abz"), scores)
)
def test_an_epoch_stays_in_its_ranges(
    stakes: dict[str, int], made: dict[str, Report], scored: dict[str, Score]
) -> None:
    before = CoherenceState(attunement=first_state(PARAMS).attunement, scores=scored)
    outcome = close_epoch(before, stakes, made, 0, PARAMS)
    assert 0 <= outcome.coherence <= ONE
    assert set(outcome.agreements) == set(outcome.state.scores) == set(stakes)
    for validator, score in outcome.state.scores.items():
        assert 0 <= score.psi <= ONE
        assert len(score.agreements) <= 8
        if validator not in made:
            assert outcome.agreements[validator] == 0
    attunement = outcome.state.attunement
    assert PARAMS.least_attunement <= attunement.value <= PARAMS.most_attunement
    assert PARAMS.least_alpha <= attunement.alpha <= PARAMS.most_alpha
    assert -PARAMS.most_fall <= attunement.value - before.attunement.value <= PARAMS.most_rise
    assert min(outcome.agreements.values()) <= outcome.coherence <= max(outcome.agreements.values())


@given(networks, made_reports)
def test_the_order_of_what_is_given_does_not_matter(stakes: dict[str, int], made: dict[str, Report]) -> None:
    turned = dict(reversed(list(stakes.items()))), dict(reversed(list(made.items())))
    before = first_state(PARAMS)
    assert close_epoch(before, stakes, made, 0, PARAMS) == close_epoch(before, *turned, 0, PARAMS)


@given(scores, fractions, st.integers(0, 9))
def test_missing_a_duty_more_never_raises_psi(score: Score, agreement: int, missed: int) -> None:
    more, fewer = (next_score(score, agreement, count, 10, PARAMS).psi for count in (missed + 1, missed))
    assert more <= fewer


@given(networks, st.data())
def test_a_better_report_never_lowers_coherence(stakes: dict[str, int], data: st.DataObject) -> None:
    made = {name: data.draw(reports()) for name in stakes}
    name = data.draw(st.sampled_from(sorted(stakes)))
    perfect = Report((ShardAgreement(ONE, ONE),), 0, 1)
    before = first_state(PARAMS)
    worse = close_epoch(before, stakes, made, 0, PARAMS).coherence
    assert close_epoch(before, stakes, {**made, name: perfect}, 0, PARAMS).coherence >= worse


@given(networks, st.lists(fractions, min_size=60, max_size=60))
def test_attunement_never_moves_faster_than_it_may(stakes: dict[str, int], held: list[int]) -> None:
    state = first_state(PARAMS)
    for share in held:
        made = {name: Report((ShardAgreement(share, share),), 0, 9) for name in stakes}
        after = close_epoch(state, stakes, made, 0, PARAMS).state
        assert -250_000 <= after.attunement.value - state.attunement.value <= 50_000
        state = after


def test_a_network_that_agrees_comes_to_rest_at_one() -> None:
    state = first_state(PARAMS)
    perfect = {"a": Report((ShardAgreement(ONE, ONE),), 0, 9)}
    for _ in range(40):
        state = close_epoch(state, {"a": 1}, perfect, 0, PARAMS).state
    assert state.scores["a"].psi == ONE - 1, "halving rounds down"
    assert state.attunement.value == ONE - 1
    assert state.attunement.alpha == ONE, "where nothing changes, alpha does not climb"
