"""Moving tokens: transfers, divestment and premium."""

import msgspec

from choir.ledger.accounts import (
    credit,
    debit,
    get_account,
    parse_positive,
    pay_to_prior_pool,
)
from choir.ledger.context import Context
from choir.ledger.entities import ACCOUNTS, DIVESTMENTS, THREADS, Divestment, Thread
from choir.ledger.errors import Code, reject
from choir.ledger.events import Divested, PremiumExtended, Transferred
from choir.ledger.params import Params
from choir.ledger.state import Draft
from choir.ledger.threads import get_thread, validate_co_author
from choir.ledger.transactions import Divest, SubscribePremium, Transfer
from choir.primitives.addresses import AddressError, SmallOrderKeyError, decode_address
from choir.primitives.amounts import format_choir


def process_transfer(draft: Draft, body: Transfer, context: Context) -> None:
    """Wallet to wallet."""
    validate_receiver(body.to)
    amount = parse_positive(body.amount, "amount")
    debit(draft, context.sender, amount)
    credit(draft, body.to, amount)
    context.emit(Transferred(sender=context.sender, to=body.to, amount=amount))


def process_divest(draft: Draft, body: Divest, context: Context) -> None:
    """A co-author takes up to a share of the thread's balance above its minimum, once per cooldown."""
    thread = get_thread(draft, body.thread_id)
    validate_co_author(thread, context.sender)
    amount = parse_positive(body.amount, "amount")
    key = f"{body.thread_id}/{context.sender}"
    last = draft.get(DIVESTMENTS, key)
    if last is not None:
        ready_at_ms = last.at_ms + draft.params.divest_cooldown_seconds * 1000
        if context.now_ms < ready_at_ms:
            reject(Code.CooldownActive, retry_after_ms=ready_at_ms - context.now_ms)
    share = compute_share(thread, draft.params)
    if amount > share:
        reject(Code.BelowMinimumBalance, f"The share is {format_choir(share)} CHOIR.", field="amount")
    draft.put(THREADS, body.thread_id, msgspec.structs.replace(thread, balance=thread.balance - amount))
    draft.put(DIVESTMENTS, key, Divestment(at_ms=context.now_ms))
    credit(draft, context.sender, amount)
    context.emit(Divested(thread_id=body.thread_id, co_author=context.sender, amount=amount))


def compute_share(thread: Thread, params: Params) -> int:
    """What one co-author may divest: (balance − minimum) / co-authors, never negative; in uchoir."""
    return max(0, thread.balance - params.minimum_thread_balance) // len(thread.co_authors)


def process_subscribe_premium(draft: Draft, body: SubscribePremium, context: Context) -> None:
    """Pay for premium; a running membership is extended, not replaced."""
    price = body.periods * draft.params.premium_price
    debit(draft, context.sender, price)
    pay_to_prior_pool(draft, price, context.sender)
    account = get_account(draft, context.sender)
    until_ms = max(account.premium_until_ms, context.now_ms) + body.periods * draft.params.premium_period_seconds * 1000
    draft.put(ACCOUNTS, context.sender, msgspec.structs.replace(account, premium_until_ms=until_ms))
    context.emit(PremiumExtended(account=context.sender, amount=price, until_ms=until_ms))


def validate_receiver(address: str) -> None:
    """Tokens sent to what is no key are lost, so it is refused."""
    try:
        decode_address(address)
    except SmallOrderKeyError:
        reject(Code.SmallOrderKey, field="to")
    except AddressError:
        reject(Code.InvalidAddress, field="to")
