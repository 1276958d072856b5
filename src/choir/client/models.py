"""What the node answers: one struct per kind of answer. A field that a newer node adds is ignored.

Amounts are decimal strings of uchoir, as on the wire: ``int(account.balance)``. Times are ``*_ms``, integers.
"""

from typing import Any, Generic, Literal, TypeVar

from msgspec import Struct

from choir.ledger.blocks import Header, Receipt
from choir.ledger.transactions import PrivacyLevel, Transaction

Status = Literal["open", "approved", "denied", "expired", "withdrawn"]
Access = Literal["full", "limited", "minimal", "existence"]
T = TypeVar("T")


class Page(Struct, Generic[T], frozen=True, kw_only=True):
    """Part of a list; ask again with ``next_cursor`` until it is None."""

    items: tuple[T, ...]
    next_cursor: str | None = None


class Message(Struct, frozen=True, kw_only=True):
    """A message of a thread, or the text of a spec.

    ``access`` says how much the asker gets: ``full`` (text, salt, resonance and coherence, unless erased or not yet
    computed), ``limited`` (a ``summary``), ``minimal`` (``at_most_characters``) or ``existence``.
    """

    content_hash: str
    thread_id: str
    author: str
    created_at_ms: int
    kind: Literal["message", "spec"]
    status: Status
    privacy: PrivacyLevel
    is_erased: bool
    priors: tuple[str, ...]
    access: Access
    tx_hash: str
    text: str | None = None
    salt: str | None = None
    summary: str | None = None
    at_most_characters: int | None = None
    resonance: float | None = None
    coherence: float | None = None


class MessagePage(Page[Message], frozen=True, kw_only=True):
    """A page of a thread. ``previous_cursor`` leads to the page before it, None where the thread begins;
    ``position`` is the number of messages before it (None in a live snapshot)."""

    previous_cursor: str | None = None
    position: int | None = None


class Spec(Struct, frozen=True, kw_only=True):
    """A staked message that the co-authors decide on."""

    spec_id: str
    thread_id: str
    author: str
    stake: str
    status: Status
    privacy: PrivacyLevel
    created_at_ms: int
    expires_at_ms: int
    voters: tuple[str, ...]
    approvals: tuple[str, ...]
    denials: tuple[str, ...]
    priors: tuple[str, ...]
    access: Access
    text: str | None = None
    summary: str | None = None


class ThreadSummary(Struct, frozen=True, kw_only=True):
    """A thread as it stands in a list."""

    thread_id: str
    privacy: PrivacyLevel
    co_authors: tuple[str, ...]
    balance: str
    message_count: int
    open_spec_count: int
    created_at_ms: int
    title: str | None = None


class Thread(ThreadSummary, frozen=True, kw_only=True):
    """A thread with a page of its messages, in their order, and its open specs."""

    messages: MessagePage
    open_specs: tuple[Spec, ...]


class AccountThread(Struct, frozen=True, kw_only=True):
    """A co-author's part of a thread: what may be divested, and from when."""

    thread_id: str
    balance: str
    share: str
    divest_ready_at_ms: int


class Account(Struct, frozen=True, kw_only=True):
    """An account; an address that nobody has used answers zeros. ``history`` holds events with their own fields."""

    address: str
    balance: str
    nonce: int
    sponsorship: str
    premium_until_ms: int
    threads: tuple[AccountThread, ...]
    history: Page[dict[str, Any]]


class CommittedTransaction(Struct, frozen=True, kw_only=True):
    """``transaction`` is None when a block holds bytes that nobody signed; the receipt says why they were refused."""

    transaction: Transaction | None
    receipt: Receipt


class Admitted(Struct, frozen=True, kw_only=True):
    """The node will put the transaction in a block; its receipt comes later."""

    tx_hash: str


class FaucetGrant(Struct, frozen=True, kw_only=True):
    tx_hash: str
    amount: str


class EpochStatus(Struct, frozen=True, kw_only=True):
    number: int
    started_at_ms: int


class TreasuryStatus(Struct, frozen=True, kw_only=True):
    balance: str
    new_message_pool: str
    prior_pool: str


class Network(Struct, frozen=True, kw_only=True):
    """The chain and the node. ``params`` are the ledger's, by name. ``coherence_millionths`` (Ĉ) and
    ``attunement_millionths`` (λ) are of ``measured_epoch``; None before the node has measured one."""

    chain_id: str
    genesis_hash: str
    height: int
    time_ms: int
    app_hash: str
    engine: str
    validators: tuple[str, ...]
    node: str
    version: str
    is_development: bool
    epoch: EpochStatus
    params: dict[str, Any]
    treasury: TreasuryStatus
    is_paused: bool
    measured_epoch: int | None = None
    coherence_millionths: int | None = None
    attunement_millionths: int | None = None


class Validator(Struct, frozen=True, kw_only=True):
    """A validator with its score (Ψ) and agreement (A); None where the node has measured nothing of it."""

    address: str
    is_this_node: bool
    measured_epoch: int | None = None
    psi_millionths: int | None = None
    agreement_millionths: int | None = None


class BlockView(Struct, frozen=True, kw_only=True):
    """A block: its header with the proposer's signature, its transactions' hashes and their receipts."""

    header: Header
    signature: str
    tx_hashes: tuple[str, ...]
    receipts: tuple[Receipt, ...]
