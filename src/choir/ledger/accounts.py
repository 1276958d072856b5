"""Reading and changing accounts: balances, nonces and the per-account rate limits."""

import msgspec

from choir.ledger.entities import ACCOUNTS, THE_ONLY, TREASURY, Account
from choir.ledger.errors import Code, reject
from choir.ledger.state import Draft, get_only
from choir.primitives.amounts import TOTAL_SUPPLY_UCHOIR, format_choir

_HOUR_MS = 3_600_000
_NEW = Account()


def get_account(draft: Draft, address: str) -> Account:
    """The account of ``address``; an unseen one is empty."""
    return draft.get(ACCOUNTS, address) or _NEW


def credit(draft: Draft, address: str, amount: int) -> None:
    """Add ``amount`` uchoir to a wallet."""
    account = get_account(draft, address)
    draft.put(ACCOUNTS, address, msgspec.structs.replace(account, balance=account.balance + amount))


def debit(draft: Draft, address: str, amount: int) -> None:
    """Take ``amount`` uchoir from a wallet. Rejects with InsufficientFunds."""
    account = get_account(draft, address)
    if account.balance < amount:
        reject(
            Code.InsufficientFunds,
            f"This needs {format_choir(amount)} CHOIR, the balance is {format_choir(account.balance)}.",
        )
    draft.put(ACCOUNTS, address, msgspec.structs.replace(account, balance=account.balance - amount))


def add_sponsorship(draft: Draft, address: str, amount: int) -> None:
    """Remember that ``address`` paid ``amount`` uchoir to the treasury for good."""
    account = get_account(draft, address)
    draft.put(ACCOUNTS, address, msgspec.structs.replace(account, sponsorship=account.sponsorship + amount))


def draw_sponsorship(draft: Draft, address: str, wanted: int) -> int:
    """Use up to ``wanted`` uchoir of what ``address`` has paid; returns what there was."""
    account = get_account(draft, address)
    drawn = min(wanted, account.sponsorship)
    if drawn:
        draft.put(ACCOUNTS, address, msgspec.structs.replace(account, sponsorship=account.sponsorship - drawn))
    return drawn


def pay_to_prior_pool(draft: Draft, amount: int, payer: str) -> None:
    """Treasury inflow from mixed and expired specs and from premium (design: ledger, "Rewards")."""
    treasury = get_only(draft, TREASURY)
    draft.put(TREASURY, THE_ONLY, msgspec.structs.replace(treasury, prior_pool=treasury.prior_pool + amount))
    add_sponsorship(draft, payer, amount)


def parse_positive(text: str, field: str) -> int:
    """The amount behind its wire form. Rejects zero, negative, and more than the total supply."""
    amount = int(text)
    if amount <= 0:
        reject(Code.AmountNotPositive, field=field)
    if amount > TOTAL_SUPPLY_UCHOIR:
        reject(Code.NumberOutOfRange, "It is more than the total supply.", field=field)
    return amount


def use_thread_allowance(draft: Draft, address: str, now_ms: int) -> None:
    """Count one new thread. Rejects with RateLimited."""
    account = get_account(draft, address)
    bucket_ms = _next_bucket_ms(account.threads_bucket_ms, draft.params.threads_per_hour, now_ms)
    draft.put(ACCOUNTS, address, msgspec.structs.replace(account, threads_bucket_ms=bucket_ms))


def use_message_allowance(draft: Draft, address: str, now_ms: int) -> None:
    """Count one message or spec. Rejects with RateLimited."""
    account = get_account(draft, address)
    bucket_ms = _next_bucket_ms(account.messages_bucket_ms, draft.params.messages_per_hour, now_ms)
    draft.put(ACCOUNTS, address, msgspec.structs.replace(account, messages_bucket_ms=bucket_ms))


def _next_bucket_ms(bucket_ms: int, per_hour: int, now_ms: int) -> int:
    """A token bucket of ``per_hour`` tokens as the generic cell rate algorithm: one integer instead of two."""
    interval_ms = _HOUR_MS // per_hour
    arrival_ms = max(bucket_ms, now_ms) + interval_ms
    excess_ms = arrival_ms - now_ms - interval_ms * per_hour
    if excess_ms > 0:
        reject(Code.RateLimited, f"The allowance is {per_hour} an hour.", retry_after_ms=excess_ms)
    return arrival_ms
