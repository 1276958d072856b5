"""Rewards at the end of an epoch (design: ledger, "Rewards"), and what they may cost the network.

A reward is paid only up to the *sponsorship* of those who caused it: what the approvers of the spec, or the citing
authors, have irrecoverably paid to the treasury and not yet directed to others. Accounts are free, so without this a
person with two keys could approve and cite themselves for gain (docs/decisions/0004-sponsored-rewards.md).
"""

from math import isqrt

import msgspec

from choir.ledger.accounts import credit, draw_sponsorship
from choir.ledger.emission_table import CUMULATIVE_UCHOIR_BY_DAY
from choir.ledger.entities import (
    EPOCH,
    EPOCH_APPROVALS,
    EPOCH_CITATIONS,
    MESSAGES,
    THE_ONLY,
    THREADS,
    TREASURY,
    Epoch,
    EpochApproval,
)
from choir.ledger.errors import BrokenInvariant
from choir.ledger.events import EpochClosed, Event, NewMessageRewarded, PriorRewarded
from choir.ledger.params import DAY_SECONDS, EPOCH_MS, NEW_MESSAGE_REWARD_CAP
from choir.ledger.state import Draft, get_only
from choir.ledger.threads import get_thread

_DAY_MS = DAY_SECONDS * 1000


def close_epoch_if_due(draft: Draft, genesis_time_ms: int, now_ms: int, events: list[Event]) -> None:
    """Pay the rewards of the epoch that has ended and begin the one that ``now_ms`` falls in."""
    epoch = get_only(draft, EPOCH)
    elapsed = (now_ms - epoch.started_at_ms) // EPOCH_MS
    if elapsed < 1:
        return
    started_ms = epoch.started_at_ms - genesis_time_ms
    budget = emitted_by(started_ms + EPOCH_MS) - emitted_by(started_ms)
    new_message_rewards = _pay_new_messages(draft, budget, events)
    prior_rewards = _pay_priors(draft, now_ms // _DAY_MS, events)
    events.append(
        EpochClosed(number=epoch.number, new_message_rewards=new_message_rewards, prior_rewards=prior_rewards)
    )
    started_at_ms = epoch.started_at_ms + elapsed * EPOCH_MS
    draft.put(EPOCH, THE_ONLY, Epoch(number=epoch.number + elapsed, started_at_ms=started_at_ms))
    draft.keep()


def emitted_by(age_ms: int) -> int:
    """Cumulative emission in uchoir ``age_ms`` after genesis: the table, interpolated linearly within a day."""
    day, rest_ms = divmod(max(0, age_ms), _DAY_MS)
    last = len(CUMULATIVE_UCHOIR_BY_DAY) - 1
    if day >= last:
        return CUMULATIVE_UCHOIR_BY_DAY[last]
    start, end = CUMULATIVE_UCHOIR_BY_DAY[day], CUMULATIVE_UCHOIR_BY_DAY[day + 1]
    return start + (end - start) * rest_ms // _DAY_MS


def _pay_new_messages(draft: Draft, budget: int, events: list[Event]) -> int:
    """The budget in equal shares to the authors of the specs approved in the epoch: at most 10 CHOIR a message and 5 %
    of the budget a thread; what is not paid stays in the pool."""
    approved: list[tuple[str, EpochApproval]] = []
    per_thread: dict[str, int] = {}
    for spec_id in draft.keys_in_order(EPOCH_APPROVALS):
        approval = draft.get(EPOCH_APPROVALS, spec_id)
        if approval is None:
            raise BrokenInvariant(f"the epoch names approval {spec_id}, which does not exist")
        approved.append((spec_id, approval))
        per_thread[approval.thread_id] = per_thread.get(approval.thread_id, 0) + 1
        draft.delete(EPOCH_APPROVALS, spec_id)
    paid = 0
    for spec_id, approval in approved:
        thread_share = budget * 5 // 100 // per_thread[approval.thread_id]
        share = min(budget // len(approved), NEW_MESSAGE_REWARD_CAP, thread_share)
        amount = _draw(draft, approval.approvers, share)
        if amount:
            credit(draft, approval.author, amount)
            paid += amount
            events.append(
                NewMessageRewarded(thread_id=approval.thread_id, spec_id=spec_id, author=approval.author, amount=amount)
            )
    treasury = get_only(draft, TREASURY)
    pool = treasury.new_message_pool - paid
    draft.put(TREASURY, THE_ONLY, msgspec.structs.replace(treasury, new_message_pool=pool))
    return paid


def _pay_priors(draft: Draft, day: int, events: list[Event]) -> int:
    """1 % of the prior pool by Q = isqrt(citing authors) over the priors cited in the epoch, to the cited threads."""
    cited = _citing_authors(draft, day)
    treasury = get_only(draft, TREASURY)
    budget = treasury.prior_pool // 100
    total_quality = sum(isqrt(len(authors)) for authors in cited.values())
    paid = 0
    for prior, authors in cited.items():
        share = min(budget * isqrt(len(authors)) // total_quality, budget * 5 // 100)
        amount = _draw(draft, authors, share)
        if amount:
            _pay_prior(draft, prior, amount, day, events)
            paid += amount
    if paid:
        pool = treasury.prior_pool - paid
        draft.put(TREASURY, THE_ONLY, msgspec.structs.replace(treasury, prior_pool=pool))
    return paid


def _citing_authors(draft: Draft, day: int) -> dict[str, list[str]]:
    """The epoch's rewardable priors, in order: still public, and not rewarded today."""
    cited: dict[str, list[str]] = {}
    for key in draft.keys_in_order(EPOCH_CITATIONS):
        prior, author = key.split("/")
        message = draft.get(MESSAGES, prior)
        if message is None:
            raise BrokenInvariant(f"the epoch names prior {prior}, which does not exist")
        if message.privacy == "public" and not message.is_erased and message.prior_reward_day != day:
            cited.setdefault(prior, []).append(author)
        draft.delete(EPOCH_CITATIONS, key)
    return cited


def _pay_prior(draft: Draft, prior: str, amount: int, day: int, events: list[Event]) -> None:
    message = draft.get(MESSAGES, prior)
    if message is None:
        raise BrokenInvariant(f"prior {prior} does not exist")
    thread = get_thread(draft, message.thread_id)
    draft.put(MESSAGES, prior, msgspec.structs.replace(message, prior_reward_day=day))
    draft.put(THREADS, message.thread_id, msgspec.structs.replace(thread, balance=thread.balance + amount))
    events.append(PriorRewarded(thread_id=message.thread_id, content_hash=prior, amount=amount))


def _draw(draft: Draft, sponsors: tuple[str, ...] | list[str], wanted: int) -> int:
    """Up to ``wanted`` from the sponsors' sponsorship, in their order."""
    drawn = 0
    for sponsor in sponsors:
        if drawn == wanted:
            break
        drawn += draw_sponsorship(draft, sponsor, wanted - drawn)
    return drawn
