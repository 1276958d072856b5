"""The transition: `apply_block(state, block) -> changes, receipts, events`. Every engine runs this and only this.

A block, in order: the epoch that has ended pays its rewards; each transaction takes effect or is refused; specs whose
time has passed settle; block hashes too old to depend on are forgotten; then everything is checked and committed to.
"""

from collections.abc import Callable, Sequence
from typing import Any, Final, NamedTuple

import msgspec

from choir.ledger.accounts import get_account
from choir.ledger.blocks import Receipt
from choir.ledger.context import Context
from choir.ledger.council import process_endorse, process_propose
from choir.ledger.entities import (
    ACCOUNTS,
    CHAIN,
    EPOCH_APPROVALS,
    EPOCH_CITATIONS,
    EXPIRIES,
    RECENT_BLOCKS,
    THE_ONLY,
    Chain,
    RecentBlock,
)
from choir.ledger.envelope import CheckedTransaction
from choir.ledger.errors import OK_CODE, BrokenInvariant, Code, Rejected, reject
from choir.ledger.events import Event
from choir.ledger.messages import process_erase, process_post_message, process_set_privacy
from choir.ledger.params import DEPENDENCY_WINDOW_MS, EPOCH_MS
from choir.ledger.rewards import close_epoch_if_due
from choir.ledger.specs import expire_specs, process_approval, process_submit_spec, process_withdraw_spec
from choir.ledger.state import Changes, Draft, State, get_only
from choir.ledger.threads import process_create_thread
from choir.ledger.tokens import process_divest, process_subscribe_premium, process_transfer
from choir.ledger.transactions import (
    Body,
    CreateThread,
    Divest,
    Endorse,
    Erase,
    PostMessage,
    ProcessApproval,
    Propose,
    SetPrivacy,
    SubmitSpec,
    SubscribePremium,
    Transaction,
    Transfer,
    WithdrawSpec,
)

HANDLERS: Final[dict[type[Body], Callable[[Draft, Any, Context], None]]] = {
    CreateThread: process_create_thread,
    PostMessage: process_post_message,
    SubmitSpec: process_submit_spec,
    ProcessApproval: process_approval,
    WithdrawSpec: process_withdraw_spec,
    Divest: process_divest,
    Transfer: process_transfer,
    SetPrivacy: process_set_privacy,
    Erase: process_erase,
    SubscribePremium: process_subscribe_premium,
    Propose: process_propose,
    Endorse: process_endorse,
}


class Block(NamedTuple):
    """What an engine has put in order. ``time_ms`` is strictly greater than the block's before."""

    height: int
    time_ms: int
    transactions: Sequence[CheckedTransaction]


NO_TRANSACTION: Final = -1


class BlockResult(NamedTuple):
    """``origins`` runs beside ``events``: the index of the transaction that caused each, or ``NO_TRANSACTION``."""

    changes: Changes
    receipts: list[Receipt]
    events: list[Event]
    origins: list[int]


def apply_block(state: State, block: Block) -> BlockResult:
    """Apply a block to a state, which is left untouched. Raises ``BrokenInvariant`` for our own bugs only."""
    draft = Draft(state)
    events: list[Event] = []
    chain = _begin_block(draft, block)
    close_epoch_if_due(draft, chain.genesis_time_ms, block.time_ms, events)
    origins = [NO_TRANSACTION] * len(events)
    receipts: list[Receipt] = []
    for index, checked in enumerate(block.transactions):
        receipts.append(process_transaction(draft, block, index, checked, events))
        origins += [index] * (len(events) - len(origins))
    expire_specs(draft, block.time_ms, events)
    draft.keep()
    origins += [NO_TRANSACTION] * (len(events) - len(origins))
    _remember_accepted(draft, block, receipts)
    return BlockResult(draft.changes(), receipts, events, origins)


def process_transaction(
    draft: Draft, block: Block, index: int, checked: CheckedTransaction, events: list[Event]
) -> Receipt:
    """One transaction: it takes effect whole, or changes nothing but its sender's nonce."""
    refusal = checked.refusal
    staged: list[Event] = []
    if checked.transaction is not None:
        context = Context(checked.transaction.sender, checked.hash, block.time_ms, staged)
        try:
            _consume_nonce(draft, checked.transaction)
            _run(draft, checked.transaction, context)
            draft.keep()
            events.extend(staged)
        except Rejected as rejected:
            draft.discard()
            refusal = rejected
    return Receipt(
        code=OK_CODE if refusal is None else refusal.code.number,
        detail="" if refusal is None else refusal.detail,
        height=block.height,
        index=index,
        name="Ok" if refusal is None else refusal.code.name,
        time_ms=block.time_ms,
        tx_hash=checked.hash,
    )


def _consume_nonce(draft: Draft, transaction: Transaction) -> None:
    account = get_account(draft, transaction.sender)
    validate_nonce(transaction.nonce, account.nonce)
    draft.put(ACCOUNTS, transaction.sender, msgspec.structs.replace(account, nonce=account.nonce + 1))
    draft.keep()


def validate_nonce(nonce: int, expected: int) -> None:
    """Rejects with NonceMismatch, saying whether the number was used before or leaves a gap."""
    if nonce != expected:
        found = "was used already" if nonce < expected else "leaves a gap"
        reject(Code.NonceMismatch, f"Expected {expected}; {nonce} {found}.", field="nonce")


def _run(draft: Draft, transaction: Transaction, context: Context) -> None:
    if transaction.expires_at is not None and context.now_ms >= transaction.expires_at:
        reject(Code.TransactionExpired, field="expires_at")
    since_ms = context.now_ms - DEPENDENCY_WINDOW_MS
    if transaction.depends_on is not None and not draft.is_recent(transaction.depends_on, since_ms):
        reject(Code.DependencyUnknown, field="depends_on")
    body_type = type(transaction.body)
    if get_only(draft, CHAIN).is_paused and body_type not in (Propose, Endorse):
        reject(Code.Paused)
    HANDLERS[body_type](draft, transaction.body, context)


def _begin_block(draft: Draft, block: Block) -> Chain:
    chain = get_only(draft, CHAIN)
    if block.height != chain.height + 1:
        raise BrokenInvariant(f"block {block.height} cannot follow block {chain.height}")
    if block.time_ms <= chain.time_ms:
        raise BrokenInvariant(f"block {block.height} is not later than the block before it")
    draft.put(CHAIN, THE_ONLY, msgspec.structs.replace(chain, height=block.height, time_ms=block.time_ms))
    draft.keep()
    return chain


def _remember_accepted(draft: Draft, block: Block, receipts: list[Receipt]) -> None:
    for key in draft.keys_in_order(RECENT_BLOCKS, up_to=f"{max(0, block.time_ms - DEPENDENCY_WINDOW_MS):016d}~"):
        draft.delete(RECENT_BLOCKS, key)
    accepted = tuple(receipt.tx_hash for receipt in receipts if receipt.code == OK_CODE)
    if accepted:
        draft.put(RECENT_BLOCKS, f"{block.time_ms:016d}", RecentBlock(accepted=accepted))
    draft.keep()


def next_due_ms(state: State) -> int | None:
    """When the ledger next has something to do without a transaction: a spec's expiry, or the end of an epoch that may
    pay. Milliseconds of block time, or None. Engines that make blocks on demand make one then."""
    due = [int(key[:16]) for key in state.first_key(EXPIRIES)]
    if state.first_key(EPOCH_APPROVALS) or state.first_key(EPOCH_CITATIONS):
        due.append(state.epoch.started_at_ms + EPOCH_MS)
    return min(due, default=None)
