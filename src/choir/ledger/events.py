"""What happened, for everyone who keeps a projection. Events carry ids and amounts, never content."""

from msgspec import Struct

from choir.ledger.transactions import PrivacyLevel, snake_case


class Event(Struct, frozen=True, gc=False, kw_only=True, tag_field="type", tag=snake_case, omit_defaults=True):
    """Something that a block did."""


class ThreadCreated(Event, frozen=True):
    thread_id: str
    creator: str
    privacy: PrivacyLevel


class MessagePosted(Event, frozen=True):
    thread_id: str
    content_hash: str
    author: str
    privacy: PrivacyLevel
    priors: tuple[str, ...]


class SpecSubmitted(Event, frozen=True):
    thread_id: str
    content_hash: str
    author: str
    privacy: PrivacyLevel
    priors: tuple[str, ...]
    stake: int
    expires_at_ms: int
    voters: tuple[str, ...]


class ApprovalCast(Event, frozen=True):
    thread_id: str
    spec_id: str
    voter: str
    approve: bool
    votes_missing: int


class SpecSettled(Event, frozen=True):
    """``outcome``: approved, denied, expired or withdrawn. Where the stake went, in uchoir."""

    thread_id: str
    spec_id: str
    author: str
    outcome: str
    to_approvers: dict[str, int]
    to_author: int
    to_thread: int
    to_treasury: int


class CoAuthorAdded(Event, frozen=True):
    thread_id: str
    co_author: str
    spec_id: str


class Divested(Event, frozen=True):
    thread_id: str
    co_author: str
    amount: int


class Transferred(Event, frozen=True):
    sender: str
    to: str
    amount: int


class PrivacyChanged(Event, frozen=True):
    thread_id: str
    content_hash: str
    level: PrivacyLevel
    by: str


class MessageErased(Event, frozen=True):
    thread_id: str
    content_hash: str
    by: str


class PremiumExtended(Event, frozen=True):
    account: str
    amount: int
    until_ms: int


class Proposed(Event, frozen=True):
    proposal_id: str
    by: str


class Endorsed(Event, frozen=True):
    proposal_id: str
    by: str
    endorsements_missing: int


class CouncilActed(Event, frozen=True):
    """The council's proposal ran. ``action`` is its type; a transfer names its receiver and amount."""

    proposal_id: str
    action: str
    to: str | None = None
    amount: int = 0
    parameter: str | None = None
    value: int | None = None


class NewMessageRewarded(Event, frozen=True):
    thread_id: str
    spec_id: str
    author: str
    amount: int


class PriorRewarded(Event, frozen=True):
    thread_id: str
    content_hash: str
    amount: int


class EpochClosed(Event, frozen=True):
    number: int
    new_message_rewards: int
    prior_rewards: int


AnyEvent = (
    ThreadCreated
    | MessagePosted
    | SpecSubmitted
    | ApprovalCast
    | SpecSettled
    | CoAuthorAdded
    | Divested
    | Transferred
    | PrivacyChanged
    | MessageErased
    | PremiumExtended
    | Proposed
    | Endorsed
    | CouncilActed
    | NewMessageRewarded
    | PriorRewarded
    | EpochClosed
)
