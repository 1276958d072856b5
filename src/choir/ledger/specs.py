"""Specs: an outsider's staked message, the votes on it, and where its stake goes."""

import msgspec

from choir.ledger.accounts import credit, debit, parse_positive, pay_to_prior_pool, use_message_allowance
from choir.ledger.context import Context
from choir.ledger.entities import (
    EPOCH_APPROVALS,
    EXPIRIES,
    MESSAGES,
    SPECS,
    THREADS,
    EpochApproval,
    Marker,
    Message,
    Spec,
    Thread,
)
from choir.ledger.errors import BrokenInvariant, Code, reject
from choir.ledger.events import ApprovalCast, CoAuthorAdded, Event, SpecSettled, SpecSubmitted
from choir.ledger.messages import make_message, record_citations, validate_new_message
from choir.ledger.state import Draft
from choir.ledger.threads import get_thread
from choir.ledger.transactions import ProcessApproval, SubmitSpec, WithdrawSpec
from choir.primitives.amounts import format_choir


def process_submit_spec(draft: Draft, body: SubmitSpec, context: Context) -> None:
    """An outsider's message with a stake: the stake goes to escrow and the voting window opens."""
    thread = get_thread(draft, body.thread_id)
    if context.sender in thread.co_authors:
        reject(Code.AlreadyCoAuthor)
    stake = parse_positive(body.stake, "stake")
    if stake < draft.params.minimum_stake:
        reject(
            Code.InsufficientStake,
            f"The minimum is {format_choir(draft.params.minimum_stake)} CHOIR.",
            field="stake",
        )
    debit(draft, context.sender, stake)
    validate_new_message(draft, body.content_hash, body.priors, context)
    if len(thread.co_authors) + thread.open_spec_count >= draft.params.co_author_limit:
        reject(Code.CoAuthorLimit)
    use_message_allowance(draft, context.sender, context.now_ms)
    _open_spec(draft, body, stake, thread, context)


def _open_spec(draft: Draft, body: SubmitSpec, stake: int, thread: Thread, context: Context) -> None:
    spec = Spec(
        author=context.sender,
        expires_at_ms=context.now_ms + draft.params.spec_window_seconds * 1000,
        stake=stake,
        thread_id=body.thread_id,
        voters=thread.co_authors,
    )
    message = make_message(body, thread, context, "open")
    draft.put(SPECS, body.content_hash, spec)
    draft.put(MESSAGES, body.content_hash, message)
    draft.put(EXPIRIES, _expiry_key(spec, body.content_hash), Marker())
    draft.put(THREADS, body.thread_id, msgspec.structs.replace(thread, open_spec_count=thread.open_spec_count + 1))
    context.emit(
        SpecSubmitted(
            thread_id=body.thread_id,
            content_hash=body.content_hash,
            author=context.sender,
            privacy=message.privacy,
            priors=body.priors,
            stake=stake,
            expires_at_ms=spec.expires_at_ms,
            voters=spec.voters,
        )
    )


def process_approval(draft: Draft, body: ProcessApproval, context: Context) -> None:
    """A vote by a co-author at submission; the spec settles when all have voted."""
    spec = _get_spec(draft, body.spec_id)
    if context.sender not in spec.voters:
        reject(Code.NotCoAuthor, "Voters are the co-authors at the time of submission.")
    if context.sender in spec.approvals or context.sender in spec.denials:
        reject(Code.AlreadyVoted)
    if context.now_ms >= spec.expires_at_ms:
        reject(Code.SpecExpired)
    if body.approve:
        spec = msgspec.structs.replace(spec, approvals=(*spec.approvals, context.sender))
    else:
        spec = msgspec.structs.replace(spec, denials=(*spec.denials, context.sender))
    votes_missing = len(spec.voters) - len(spec.approvals) - len(spec.denials)
    context.emit(
        ApprovalCast(
            thread_id=spec.thread_id,
            spec_id=body.spec_id,
            voter=context.sender,
            approve=body.approve,
            votes_missing=votes_missing,
        )
    )
    draft.put(SPECS, body.spec_id, spec)
    if votes_missing == 0:
        settle_by_votes(draft, body.spec_id, spec, context.events)


def process_withdraw_spec(draft: Draft, body: WithdrawSpec, context: Context) -> None:
    """The author takes the stake back while nobody has voted."""
    spec = _get_spec(draft, body.spec_id)
    if context.sender != spec.author:
        reject(Code.NotAuthor)
    if spec.approvals or spec.denials:
        reject(Code.VotingBegun)
    if context.now_ms >= spec.expires_at_ms:
        reject(Code.SpecExpired)
    credit(draft, spec.author, spec.stake)
    _close(draft, body.spec_id, spec, "withdrawn", context.events, to_author=spec.stake)


def expire_specs(draft: Draft, now_ms: int, events: list[Event]) -> None:
    """Settle every spec whose window has ended, oldest first. Cost: what expires, not what is open."""
    for key in draft.keys_in_order(EXPIRIES, up_to=f"{now_ms:016d}~"):
        spec_id = key[17:]
        spec = draft.get(SPECS, spec_id)
        if spec is None:
            raise BrokenInvariant(f"the queue names spec {spec_id}, which is not open")
        if spec.denials:
            settle_by_votes(draft, spec_id, spec, events)
        else:
            pay_to_prior_pool(draft, spec.stake, spec.author)
            _close(draft, spec_id, spec, "expired", events, to_treasury=spec.stake)


def settle_by_votes(draft: Draft, spec_id: str, spec: Spec, events: list[Event]) -> None:
    """Settle by the votes cast (design: ledger, "Settlement of a spec"). All approve: shares to the approvers, the
    remainder to the thread. Any denial: the approvers' part to the treasury, the rest to the thread."""
    if spec.denials:
        votes = len(spec.approvals) + len(spec.denials)
        to_treasury = spec.stake * len(spec.approvals) // votes
        if to_treasury:
            pay_to_prior_pool(draft, to_treasury, spec.author)
        _close(
            draft,
            spec_id,
            spec,
            "denied",
            events,
            to_treasury=to_treasury,
            to_thread=spec.stake - to_treasury,
        )
        return
    share, remainder = divmod(spec.stake, len(spec.approvals))
    for approver in spec.approvals:
        credit(draft, approver, share)
    to_approvers = dict.fromkeys(spec.approvals, share)
    _close(draft, spec_id, spec, "approved", events, to_approvers=to_approvers, to_thread=remainder)


def _close(
    draft: Draft,
    spec_id: str,
    spec: Spec,
    outcome: str,
    events: list[Event],
    *,
    to_approvers: dict[str, int] | None = None,
    to_author: int = 0,
    to_thread: int = 0,
    to_treasury: int = 0,
) -> None:
    """Take the spec out of escrow and the queue, and tell its outcome. The caller has paid everyone but the thread."""
    draft.delete(SPECS, spec_id)
    draft.delete(EXPIRIES, _expiry_key(spec, spec_id))
    thread = get_thread(draft, spec.thread_id)
    thread = msgspec.structs.replace(
        thread, balance=thread.balance + to_thread, open_spec_count=thread.open_spec_count - 1
    )
    message = draft.get(MESSAGES, spec_id)
    if message is None:
        raise BrokenInvariant(f"spec {spec_id} has no message")
    message = msgspec.structs.replace(message, status=outcome)
    draft.put(MESSAGES, spec_id, message)
    events.append(
        SpecSettled(
            thread_id=spec.thread_id,
            spec_id=spec_id,
            author=spec.author,
            outcome=outcome,
            to_approvers=to_approvers or {},
            to_author=to_author,
            to_thread=to_thread,
            to_treasury=to_treasury,
        )
    )
    if outcome == "approved":
        thread = _join(draft, spec_id, spec, message, thread, events)
    draft.put(THREADS, spec.thread_id, thread)


def _join(draft: Draft, spec_id: str, spec: Spec, message: Message, thread: Thread, events: list[Event]) -> Thread:
    """The approved message joins the thread and its author the co-authors."""
    record_citations(draft, message)
    draft.put(
        EPOCH_APPROVALS,
        spec_id,
        EpochApproval(approvers=spec.approvals, author=spec.author, thread_id=spec.thread_id),
    )
    co_authors = thread.co_authors
    if spec.author not in co_authors:
        co_authors = (*co_authors, spec.author)
        events.append(CoAuthorAdded(thread_id=spec.thread_id, co_author=spec.author, spec_id=spec_id))
    return msgspec.structs.replace(thread, co_authors=co_authors, message_count=thread.message_count + 1)


def _get_spec(draft: Draft, spec_id: str) -> Spec:
    spec = draft.get(SPECS, spec_id)
    if spec is None:
        message = draft.get(MESSAGES, spec_id)
        if message is not None and message.status == "expired":
            reject(Code.SpecExpired, field="spec_id")
        if message is not None and message.status in ("denied", "withdrawn", "approved"):
            reject(Code.SpecClosed, f"The message is {message.status}.", field="spec_id")
        reject(Code.SpecUnknown, field="spec_id")
    return spec


def _expiry_key(spec: Spec, spec_id: str) -> str:
    # Fixed width, so that the order of keys is the order of times.
    return f"{spec.expires_at_ms:016d}/{spec_id}"
