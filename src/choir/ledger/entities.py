"""What the state is made of. Entities are immutable; a change is a new value under the same key.

``Kind`` ties a key prefix to its entity type. The amounts that an entity holds are declared once, by ``held``, so that
conservation is checked from the changes alone.
"""

from collections.abc import Callable
from typing import Generic, TypeVar

import msgspec
from msgspec import Struct

from choir.ledger.params import Params
from choir.ledger.transactions import CouncilAction, PrivacyLevel

STRICTNESS: dict[str, int] = {"public": 0, "premium": 1, "thread": 2, "encrypted": 3}


class Entity(Struct, frozen=True, gc=False, kw_only=True, forbid_unknown_fields=True):
    """A value of the state."""


class Account(Entity, frozen=True):
    """``*_bucket_ms`` are theoretical arrival times of the generic cell rate algorithm. ``sponsorship`` is what the
    account has irrecoverably paid to the treasury and not yet directed to others as rewards."""

    balance: int = 0
    nonce: int = 0
    sponsorship: int = 0
    premium_until_ms: int = 0
    threads_bucket_ms: int = 0
    messages_bucket_ms: int = 0


class Thread(Entity, frozen=True):
    co_authors: tuple[str, ...]
    created_at_ms: int
    privacy: PrivacyLevel
    balance: int = 0
    message_count: int = 0
    open_spec_count: int = 0


class Message(Entity, frozen=True):
    """A message of a thread, or the text of a spec. ``status``: open, approved, denied, expired, withdrawn."""

    author: str
    created_at_ms: int
    priors: tuple[str, ...]
    privacy: PrivacyLevel
    status: str
    thread_id: str
    is_erased: bool = False
    prior_reward_day: int = -1


class Spec(Entity, frozen=True):
    """An open spec: its escrow and its votes. Deleted at settlement; the message keeps the outcome."""

    author: str
    expires_at_ms: int
    stake: int
    thread_id: str
    voters: tuple[str, ...]
    approvals: tuple[str, ...] = ()
    denials: tuple[str, ...] = ()


class Marker(Entity, frozen=True):
    """An entry whose key says it all (an expiry in the queue)."""


class Divestment(Entity, frozen=True):
    """When a co-author last divested from a thread."""

    at_ms: int


class Treasury(Entity, frozen=True):
    """``prior_pool`` is the treasury's inflow from mixed and expired specs and premium, which pays for citations."""

    balance: int
    new_message_pool: int
    prior_pool: int


class Chain(Entity, frozen=True):
    chain_id: str
    genesis_time_ms: int
    height: int
    is_paused: bool
    time_ms: int


class Council(Entity, frozen=True):
    members: tuple[str, ...]
    threshold: int


class Proposal(Entity, frozen=True):
    action: CouncilAction
    endorsers: tuple[str, ...]
    proposer: str


class Epoch(Entity, frozen=True):
    number: int
    started_at_ms: int


class EpochApproval(Entity, frozen=True):
    """A spec approved in the current epoch, waiting for its new-message reward."""

    approvers: tuple[str, ...]
    author: str
    thread_id: str


class RecentBlock(Entity, frozen=True):
    """The accepted transactions of a recent block, for ``depends_on``."""

    accepted: tuple[str, ...]


E_ = TypeVar("E_", bound=Struct)


class Kind(Generic[E_]):
    """A table of the state: key prefix, entity type, the uchoir in an entry, and whether its keys are kept in order."""

    __slots__ = ("decoder", "entity_type", "held", "is_ordered", "prefix")
    registry: dict[str, "Kind[Struct]"] = {}  # noqa: RUF012  filled once, below

    def __init__(
        self,
        name: str,
        entity_type: type[E_],
        held: Callable[[E_], int] | None = None,
        *,
        is_ordered: bool = False,
    ) -> None:
        self.prefix = f"{name}/"
        self.entity_type = entity_type
        self.held = held
        self.is_ordered = is_ordered
        self.decoder = msgspec.json.Decoder(entity_type)
        Kind.registry[name] = self  # type: ignore[assignment]


ACCOUNTS = Kind("account", Account, lambda account: account.balance)
THREADS = Kind("thread", Thread, lambda thread: thread.balance)
MESSAGES = Kind("message", Message)
SPECS = Kind("spec", Spec, lambda spec: spec.stake)
EXPIRIES = Kind("expiry", Marker, is_ordered=True)
DIVESTMENTS = Kind("divestment", Divestment)
PROPOSALS = Kind("proposal", Proposal)
EPOCH_APPROVALS = Kind("epoch_approval", EpochApproval, is_ordered=True)
EPOCH_CITATIONS = Kind("epoch_citation", Marker, is_ordered=True)
RECENT_BLOCKS = Kind("recent_block", RecentBlock, is_ordered=True)
CHAIN = Kind("chain", Chain)
COUNCIL = Kind("council", Council)
EPOCH = Kind("epoch", Epoch)
PARAMS = Kind("params", Params)
TREASURY = Kind("treasury", Treasury, lambda t: t.balance + t.new_message_pool + t.prior_pool)
THE_ONLY = "0"
