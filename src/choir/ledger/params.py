"""Parameters: set at genesis, changed only by the council (design: ledger, "Parameters")."""

from typing import Final

from msgspec import Struct

from choir.primitives.amounts import UCHOIR_PER_CHOIR

DAY_SECONDS: Final = 86_400
DEPENDENCY_WINDOW_MS: Final = 3_600_000
NEW_MESSAGE_REWARD_CAP: Final = 10 * UCHOIR_PER_CHOIR
EPOCH_MS: Final = 60_000


class Params(Struct, frozen=True, gc=False, kw_only=True, forbid_unknown_fields=True):
    """Amounts in uchoir, times in seconds, rates per hour."""

    minimum_stake: int = 100 * UCHOIR_PER_CHOIR
    spec_window_seconds: int = 7 * DAY_SECONDS
    divest_cooldown_seconds: int = 7 * DAY_SECONDS
    minimum_thread_balance: int = 10 * UCHOIR_PER_CHOIR
    co_author_limit: int = 64
    prior_limit: int = 16
    threads_per_hour: int = 10
    messages_per_hour: int = 60
    premium_price: int = 20 * UCHOIR_PER_CHOIR
    premium_period_seconds: int = 30 * DAY_SECONDS


# The least and the largest value the council may set. Limits keep integer arithmetic within 64 bits and the cost of
# one transaction bounded.
BOUNDS: Final[dict[str, tuple[int, int]]] = {
    "minimum_stake": (1, 1_000_000 * UCHOIR_PER_CHOIR),
    "spec_window_seconds": (1, 365 * DAY_SECONDS),
    "divest_cooldown_seconds": (0, 365 * DAY_SECONDS),
    "minimum_thread_balance": (0, 1_000_000 * UCHOIR_PER_CHOIR),
    "co_author_limit": (1, 64),
    "prior_limit": (0, 16),
    "threads_per_hour": (1, 3_600_000),
    "messages_per_hour": (1, 3_600_000),
    "premium_price": (1, 1_000_000 * UCHOIR_PER_CHOIR),
    "premium_period_seconds": (1, 365 * DAY_SECONDS),
}
