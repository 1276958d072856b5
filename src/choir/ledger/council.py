"""The council: a multisig of m of n members that moves the treasury, sets parameters, pauses and resumes."""

import msgspec

from choir.ledger.accounts import credit, parse_positive
from choir.ledger.context import Context
from choir.ledger.entities import CHAIN, COUNCIL, PARAMS, PROPOSALS, THE_ONLY, TREASURY, Council, Proposal
from choir.ledger.errors import Code, reject
from choir.ledger.events import CouncilActed, Endorsed, Proposed
from choir.ledger.params import BOUNDS
from choir.ledger.state import Draft, get_only
from choir.ledger.tokens import validate_receiver
from choir.ledger.transactions import (
    CouncilAction,
    Endorse,
    Pause,
    Propose,
    SetParameter,
    TreasuryTransfer,
)
from choir.primitives.amounts import format_choir


def process_propose(draft: Draft, body: Propose, context: Context) -> None:
    """Open a proposal under the transaction's hash; proposing is the first endorsement."""
    council = get_only(draft, COUNCIL)
    _validate_member(council, context.sender)
    _validate_action(body.action)
    proposal = Proposal(action=body.action, endorsers=(context.sender,), proposer=context.sender)
    context.emit(Proposed(proposal_id=context.tx_hash, by=context.sender))
    _count(draft, context.tx_hash, proposal, council, context)


def process_endorse(draft: Draft, body: Endorse, context: Context) -> None:
    """The m-th endorsement runs the action in the same transaction."""
    council = get_only(draft, COUNCIL)
    _validate_member(council, context.sender)
    proposal = draft.get(PROPOSALS, body.proposal_id)
    if proposal is None:
        reject(Code.ProposalUnknown, field="proposal_id")
    if context.sender in proposal.endorsers:
        reject(Code.AlreadyEndorsed)
    proposal = msgspec.structs.replace(proposal, endorsers=(*proposal.endorsers, context.sender))
    _count(draft, body.proposal_id, proposal, council, context)


def _count(draft: Draft, proposal_id: str, proposal: Proposal, council: Council, context: Context) -> None:
    missing = max(0, council.threshold - len(proposal.endorsers))
    context.emit(Endorsed(proposal_id=proposal_id, by=context.sender, endorsements_missing=missing))
    if missing:
        draft.put(PROPOSALS, proposal_id, proposal)
    else:
        draft.delete(PROPOSALS, proposal_id)
        _run(draft, proposal_id, proposal.action, context)


def _run(draft: Draft, proposal_id: str, action: CouncilAction, context: Context) -> None:
    if isinstance(action, TreasuryTransfer):
        _run_transfer(draft, proposal_id, action, context)
    elif isinstance(action, SetParameter):
        draft.put(PARAMS, THE_ONLY, msgspec.structs.replace(draft.params, **{action.name: action.value}))
        context.emit(
            CouncilActed(proposal_id=proposal_id, action="set_parameter", parameter=action.name, value=action.value)
        )
    else:
        is_pause = isinstance(action, Pause)
        chain = msgspec.structs.replace(get_only(draft, CHAIN), is_paused=is_pause)
        draft.put(CHAIN, THE_ONLY, chain)
        context.emit(CouncilActed(proposal_id=proposal_id, action="pause" if is_pause else "resume"))


def _run_transfer(draft: Draft, proposal_id: str, action: TreasuryTransfer, context: Context) -> None:
    amount = parse_positive(action.amount, "amount")
    treasury = get_only(draft, TREASURY)
    if amount > treasury.balance:
        reject(Code.InsufficientFunds, f"The treasury has {format_choir(treasury.balance)} CHOIR.")
    draft.put(TREASURY, THE_ONLY, msgspec.structs.replace(treasury, balance=treasury.balance - amount))
    credit(draft, action.to, amount)
    context.emit(CouncilActed(proposal_id=proposal_id, action="treasury_transfer", to=action.to, amount=amount))


def _validate_action(action: CouncilAction) -> None:
    if isinstance(action, TreasuryTransfer):
        parse_positive(action.amount, "amount")
        validate_receiver(action.to)
    elif isinstance(action, SetParameter):
        bounds = BOUNDS.get(action.name)
        if bounds is None:
            reject(Code.ParameterUnknown, f"Known: {', '.join(BOUNDS)}.", field="name")
        low, high = bounds
        if not low <= action.value <= high:
            reject(Code.NumberOutOfRange, f"{action.name} is from {low} to {high}.", field="value")


def _validate_member(council: Council, address: str) -> None:
    if address not in council.members:
        reject(Code.NotCouncilMember)
