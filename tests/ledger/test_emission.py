"""The emission table and the rewards, recomputed from their formulas."""

from decimal import Decimal, localcontext
from itertools import pairwise
from math import isqrt

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from choir.ledger.emission_table import CUMULATIVE_UCHOIR_BY_DAY as TABLE
from choir.ledger.events import NewMessageRewarded, PriorRewarded
from choir.ledger.genesis import NEW_MESSAGE_POOL
from choir.ledger.params import EPOCH_MS, NEW_MESSAGE_REWARD_CAP, Params
from choir.ledger.rewards import emitted_by
from choir.ledger.transactions import SubscribePremium
from choir.primitives.amounts import UCHOIR_PER_CHOIR
from tests.ledger.support import DAY_MS, Ledger, address, content, create, make_genesis, post, spec, thread_id, vote

C = UCHOIR_PER_CHOIR
FOUR_YEARS_DAYS = 1461
PEOPLE = ("bob", "carol", "dave", "erin", "frank")


def test_table_follows_from_the_formula() -> None:
    """F(t) = 2.5 billion · ln(1 + 2t) / ln 9, t in years of 365.25 days, floored to uchoir; by day, with 60 digits."""
    with localcontext() as context:
        context.prec = 60
        for day, amount in enumerate(TABLE):
            years = Decimal(day) / Decimal("365.25")
            exact = Decimal(NEW_MESSAGE_POOL) * (1 + 2 * years).ln() / Decimal(9).ln()
            # The last entry is exact: (1 + 2 · 4) is 9, and rounding may not lose the last uchoir.
            expected = NEW_MESSAGE_POOL if day == FOUR_YEARS_DAYS else int(exact)
            assert amount == expected, f"day {day}"


def test_table_covers_four_years_and_the_whole_pool() -> None:
    assert len(TABLE) == FOUR_YEARS_DAYS + 1
    assert TABLE[0] == 0
    assert TABLE[-1] == NEW_MESSAGE_POOL


def test_emission_grows_at_a_falling_rate() -> None:
    steps = [later - earlier for earlier, later in pairwise(TABLE)]
    assert min(steps) > 0
    assert all(later < earlier for earlier, later in pairwise(steps))


def test_half_of_the_pool_in_the_first_year() -> None:
    """A year has 365.25 days: half is reached between day 365 and day 366."""
    assert TABLE[365] <= NEW_MESSAGE_POOL // 2 <= TABLE[366]


@given(st.integers(-DAY_MS, 5 * 366 * DAY_MS), st.integers(0, DAY_MS))
@example(0, 0)
@example(FOUR_YEARS_DAYS * DAY_MS - 1, 1)
def test_interpolation_never_falls_and_never_exceeds_the_pool(age_ms: int, wait_ms: int) -> None:
    earlier, later = emitted_by(age_ms), emitted_by(age_ms + wait_ms)
    assert 0 <= earlier <= later <= NEW_MESSAGE_POOL
    day = max(0, age_ms) // DAY_MS
    if day < FOUR_YEARS_DAYS:
        assert TABLE[day] <= earlier <= TABLE[day + 1]


def test_interpolation_meets_the_table() -> None:
    for day, amount in enumerate(TABLE):
        assert emitted_by(day * DAY_MS) == amount


def test_budgets_of_all_epochs_are_the_pool() -> None:
    """Epoch budgets are differences of one function, so they add up to its end: here day by day and within a day."""
    for day in (0, 1, 700, 1460):
        starts = range(day * DAY_MS, (day + 1) * DAY_MS, EPOCH_MS)
        assert sum(emitted_by(ms + EPOCH_MS) - emitted_by(ms) for ms in starts) == TABLE[day + 1] - TABLE[day]


# Rewards, against the words of the design.


@settings(max_examples=25)
@given(
    specs_by_thread=st.lists(st.integers(1, 5), min_size=1, max_size=3),
    periods=st.integers(0, 3),
    day=st.sampled_from((0, 700, 1455, 1460, 1461)),
)
def test_new_message_rewards(specs_by_thread: list[int], periods: int, day: int) -> None:
    """Equal shares, at most 10 CHOIR a message and 5 % of the budget a thread, and no more than the sponsorship."""
    ledger = Ledger()
    if periods:
        ledger.must(("alice", SubscribePremium(periods=periods)))
    begin_ms = max(ledger.now_ms + 1000, ledger.genesis.time_ms + day * DAY_MS)
    ledger.must(*[("alice", create(f"T{t}")) for t in range(len(specs_by_thread))], at_ms=begin_ms)
    pairs = [(t, s) for t, count in enumerate(specs_by_thread) for s in range(count)]
    ledger.must(*[(PEOPLE[s], spec(f"T{t}", f"S{t}.{s}")) for t, s in pairs])
    ledger.must(*[("alice", vote(f"S{t}.{s}")) for t, s in pairs])
    result = ledger.apply(at_ms=begin_ms + EPOCH_MS)
    paid = {e.spec_id: e.amount for e in result.events if isinstance(e, NewMessageRewarded)}

    start_ms = (begin_ms - ledger.genesis.time_ms) // EPOCH_MS * EPOCH_MS
    budget = emitted_by(start_ms + EPOCH_MS) - emitted_by(start_ms)
    sponsorship = periods * 20 * C
    for t, s in sorted(pairs, key=lambda pair: content(f"S{pair[0]}.{pair[1]}")):
        share = min(budget // len(pairs), 10 * C, budget * 5 // 100 // specs_by_thread[t])
        amount = min(share, sponsorship)
        sponsorship -= amount
        assert paid.pop(content(f"S{t}.{s}"), 0) == amount
    assert not paid
    assert ledger.account("alice").sponsorship == sponsorship


def test_many_specs_share_the_budget() -> None:
    """On the last day an epoch emits 480.9 CHOIR: with 50 specs in 50 threads the equal share is less than the cap."""
    ledger = Ledger(make_genesis(Params(threads_per_hour=1000, messages_per_hour=1000)))
    ledger.must(("alice", SubscribePremium(periods=30)))
    begin_ms = ledger.genesis.time_ms + 1460 * DAY_MS
    ledger.must(*[("alice", create(f"T{n}")) for n in range(50)], at_ms=begin_ms)
    ledger.must(*[("bob", spec(f"T{n}", f"S{n}")) for n in range(50)])
    ledger.must(*[("alice", vote(f"S{n}")) for n in range(50)])
    result = ledger.apply(at_ms=begin_ms + EPOCH_MS)
    amounts = [event.amount for event in result.events if isinstance(event, NewMessageRewarded)]
    assert amounts == [480_875_308 // 50] * 50
    assert amounts[0] < NEW_MESSAGE_REWARD_CAP


@settings(max_examples=25)
@given(
    citations=st.dictionaries(st.integers(0, 15), st.sets(st.sampled_from(PEOPLE), min_size=1), min_size=1),
    payers=st.sets(st.sampled_from(PEOPLE), min_size=1),
    periods=st.sampled_from((1, 60)),
)
def test_prior_rewards(citations: dict[int, set[str]], payers: set[str], periods: int) -> None:
    """1 % of the pool by Q = isqrt(citing authors), at most 5 % of it a prior, and no more than the sponsorship."""
    ledger = Ledger()
    ledger.must(("alice", create("T")), *[("alice", post("T", f"P{n}")) for n in range(16)])
    ledger.must(*[(name, create(name)) for name in PEOPLE])
    ledger.must(*[(name, SubscribePremium(periods=periods)) for name in sorted(payers)])
    for name in PEOPLE:
        cited = [f"P{n}" for n, authors in sorted(citations.items()) if name in authors]
        ledger.must((name, post(name, f"C-{name}", *cited)))
    result = ledger.apply(at_ms=ledger.genesis.time_ms + EPOCH_MS)
    paid = {e.content_hash: e.amount for e in result.events if isinstance(e, PriorRewarded)}

    pool = len(payers) * periods * 20 * C
    sponsorship = {address(name): periods * 20 * C for name in payers}
    total_quality = sum(isqrt(len(authors)) for authors in citations.values())
    for n, authors in sorted(citations.items(), key=lambda item: content(f"P{item[0]}")):
        wanted = min(pool // 100 * isqrt(len(authors)) // total_quality, pool // 100 * 5 // 100)
        drawn = 0
        for sponsor in sorted(address(name) for name in authors):
            part = min(wanted - drawn, sponsorship.get(sponsor, 0))
            sponsorship[sponsor] = sponsorship.get(sponsor, 0) - part
            drawn += part
        assert paid.pop(content(f"P{n}"), 0) == drawn
    assert not paid
    assert ledger.thread("T").balance == pool - ledger.state.treasury.prior_pool


@pytest.mark.parametrize(("hours", "rewards"), [(1, 1), (24, 1), (25, 2), (49, 3)])
def test_a_prior_is_rewarded_once_a_day(hours: int, rewards: int) -> None:
    """Cited anew every hour by a reader who pays; days are those of block time in UTC, and genesis is at midnight."""
    ledger = Ledger()
    ledger.must(("alice", create("T")), ("alice", post("T", "M")))
    ledger.must(("bob", create("U")), ("bob", SubscribePremium(periods=5)))
    found = 0
    for hour in range(hours):
        ledger.must(("bob", post("U", f"C{hour}", "M")), at_ms=ledger.genesis.time_ms + hour * 3_600_000 + 10_000)
        result = ledger.apply(at_ms=ledger.now_ms + EPOCH_MS)
        found += sum(isinstance(event, PriorRewarded) and event.thread_id == thread_id("T") for event in result.events)
    assert found == rewards
