"""The wire form of transactions: the envelope and one body per type (design: ledger, "Identity and envelope").

Field names are in alphabetical order on the wire because signed bytes are RFC 8785; here they are in reading order.
Amounts are decimal strings of uchoir. A field typed ``X | None`` is left out when it is None, never sent as null.
"""

from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta, Struct

from choir.primitives.canonical import MAX_SAFE_INTEGER, canonical_struct
from choir.primitives.hashing import sha256_hex

SIGNING_PREFIX: Final = b"choir-tx-v1:"

Hash = Annotated[str, Meta(pattern=r"\A[0-9a-f]{64}\Z", description="64 lowercase hex digits")]
ThreadId = Annotated[str, Meta(pattern=r"\A[0-9a-f]{32}\Z", description="32 lowercase hex digits")]
AmountText = Annotated[str, Meta(pattern=r"\A(0|-?[1-9][0-9]{0,39})\Z", description="decimal integer, in uchoir")]
Address = Annotated[str, Meta(min_length=32, max_length=44, description="base58 Ed25519 public key")]
Signature = Annotated[str, Meta(min_length=64, max_length=88, description="base58, 64 bytes")]
SafeInteger = Annotated[int, Meta(ge=0, le=MAX_SAFE_INTEGER)]
PrivacyLevel = Literal["public", "premium", "thread", "encrypted"]


def snake_case(name: str) -> str:
    """``SubmitSpec`` as ``submit_spec``: the tag of a type on the wire."""
    return "".join(f"_{c.lower()}" if c.isupper() else c for c in name).lstrip("_")


class _Wire(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, gc=False, kw_only=True):
    """Common settings of everything that travels."""


class Body(_Wire, frozen=True, tag_field="type", tag=snake_case):
    """What a transaction does; ``type`` on the wire is the class name in snake case."""


class CreateThread(Body, frozen=True):
    thread_id: ThreadId
    privacy: PrivacyLevel


class PostMessage(Body, frozen=True):
    thread_id: ThreadId
    content_hash: Hash
    priors: tuple[Hash, ...]
    privacy: PrivacyLevel | None = None


class SubmitSpec(Body, frozen=True):
    thread_id: ThreadId
    content_hash: Hash
    stake: AmountText
    priors: tuple[Hash, ...]
    privacy: PrivacyLevel | None = None


class ProcessApproval(Body, frozen=True):
    spec_id: Hash
    approve: bool


class WithdrawSpec(Body, frozen=True):
    spec_id: Hash


class Divest(Body, frozen=True):
    thread_id: ThreadId
    amount: AmountText


class Transfer(Body, frozen=True):
    to: Address
    amount: AmountText


class SetPrivacy(Body, frozen=True):
    message_hash: Hash
    level: PrivacyLevel


class Erase(Body, frozen=True):
    message_hash: Hash


class SubscribePremium(Body, frozen=True):
    periods: Annotated[int, Meta(ge=1, le=120)]


class Action(_Wire, frozen=True, tag_field="type", tag=snake_case):
    """What the council decides on."""


class TreasuryTransfer(Action, frozen=True):
    to: Address
    amount: AmountText


class SetParameter(Action, frozen=True):
    name: str
    value: SafeInteger


class Pause(Action, frozen=True):
    pass


class Resume(Action, frozen=True):
    pass


CouncilAction = TreasuryTransfer | SetParameter | Pause | Resume


class Propose(Body, frozen=True):
    action: CouncilAction


class Endorse(Body, frozen=True):
    proposal_id: Hash


AnyBody = (
    CreateThread
    | PostMessage
    | SubmitSpec
    | ProcessApproval
    | WithdrawSpec
    | Divest
    | Transfer
    | SetPrivacy
    | Erase
    | SubscribePremium
    | Propose
    | Endorse
)


class Transaction(_Wire, frozen=True):
    """The signed envelope. ``nonce`` is the account's next number; ``expires_at`` is block time in milliseconds."""

    body: AnyBody
    chain_id: Annotated[str, Meta(min_length=1, max_length=64)]
    nonce: SafeInteger
    sender: Address
    signature: Signature | None = None
    depends_on: Hash | None = None
    expires_at: SafeInteger | None = None


def canonical_bytes(transaction: Transaction) -> bytes:
    """The RFC 8785 form with its signature: what is ordered in blocks and hashed."""
    return canonical_struct(transaction)


def signing_bytes(transaction: Transaction) -> bytes:
    """The bytes that the sender signs."""
    return SIGNING_PREFIX + canonical_struct(msgspec.structs.replace(transaction, signature=None))


def transaction_hash(raw: bytes) -> str:
    """The hash of a transaction's canonical bytes, 64 hex digits."""
    return sha256_hex(raw)
