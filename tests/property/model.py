"""An independent account book of the ledger: where every uchoir should be, by the tables of the design.

It is told which transactions were accepted and which rewards were paid; everything else it works out itself.
"""

from dataclasses import dataclass, field

from choir.ledger.events import NewMessageRewarded, PriorRewarded
from choir.ledger.genesis import NEW_MESSAGE_POOL, Genesis
from choir.ledger.params import Params
from choir.ledger.transactions import (
    AnyBody,
    CouncilAction,
    CreateThread,
    Divest,
    Endorse,
    ProcessApproval,
    Propose,
    SetParameter,
    SubmitSpec,
    SubscribePremium,
    Transfer,
    TreasuryTransfer,
    WithdrawSpec,
)
from choir.primitives.amounts import TOTAL_SUPPLY_UCHOIR

Flow = tuple[str, str, dict[str, int], int, int, int]


@dataclass
class OpenSpec:
    author: str
    thread: str
    stake: int
    expires_at_ms: int
    voters: tuple[str, ...]
    approvals: list[str] = field(default_factory=list)
    denials: list[str] = field(default_factory=list)


class Model:
    """Balances in uchoir by wallet and thread, and the specs that are open."""

    def __init__(self, genesis: Genesis) -> None:
        self.params: Params = genesis.params
        self.wallets = {address: int(amount) for address, amount in genesis.allocations.items()}
        self.threads: dict[str, int] = {}
        self.co_authors: dict[str, list[str]] = {}
        self.specs: dict[str, OpenSpec] = {}
        self.proposals: dict[str, tuple[CouncilAction, set[str]]] = {}
        self.threshold = genesis.council_threshold
        self.prior_pool = 0
        self.new_message_pool = NEW_MESSAGE_POOL
        self.treasury = TOTAL_SUPPLY_UCHOIR - NEW_MESSAGE_POOL - sum(self.wallets.values())
        self.flows: list[Flow] = []

    def accept(self, sender: str, tx_hash: str, body: AnyBody, now_ms: int) -> None:
        """Take over the effect of an accepted transaction."""
        match body:
            case CreateThread():
                self.threads[body.thread_id], self.co_authors[body.thread_id] = 0, [sender]
            case SubmitSpec():
                self._pay(sender, -int(body.stake))
                deadline_ms = now_ms + self.params.spec_window_seconds * 1000
                voters = tuple(self.co_authors[body.thread_id])
                self.specs[body.content_hash] = OpenSpec(sender, body.thread_id, int(body.stake), deadline_ms, voters)
            case ProcessApproval():
                self._vote(sender, body)
            case WithdrawSpec():
                spec = self.specs.pop(body.spec_id)
                self._pay(sender, spec.stake)
                self.flows.append((body.spec_id, "withdrawn", {}, spec.stake, 0, 0))
            case Divest():
                self.threads[body.thread_id] -= int(body.amount)
                self._pay(sender, int(body.amount))
            case Transfer():
                self._pay(sender, -int(body.amount))
                self._pay(body.to, int(body.amount))
            case SubscribePremium():
                self._pay(sender, -body.periods * self.params.premium_price)
                self.prior_pool += body.periods * self.params.premium_price
            case Propose():
                self.proposals[tx_hash] = (body.action, set())
                self._endorse(tx_hash, sender)
            case Endorse():
                self._endorse(body.proposal_id, sender)

    def reward(self, event: NewMessageRewarded | PriorRewarded) -> None:
        """Take over a reward: who gets how much is checked by the tests of rewards."""
        if isinstance(event, NewMessageRewarded):
            self.new_message_pool -= event.amount
            self._pay(event.author, event.amount)
        else:
            self.prior_pool -= event.amount
            self.threads[event.thread_id] += event.amount

    def expire(self, now_ms: int) -> None:
        """Windows that end at or before ``now_ms``, oldest first."""
        due = sorted((spec.expires_at_ms, spec_id) for spec_id, spec in self.specs.items())
        for expires_at_ms, spec_id in due:
            if expires_at_ms <= now_ms:
                self._settle(spec_id)

    def _vote(self, voter: str, body: ProcessApproval) -> None:
        spec = self.specs[body.spec_id]
        assert voter in spec.voters
        assert voter not in spec.approvals + spec.denials
        (spec.approvals if body.approve else spec.denials).append(voter)
        if len(spec.approvals) + len(spec.denials) == len(spec.voters):
            self._settle(body.spec_id)

    def _settle(self, spec_id: str) -> None:
        """The settlement table, row by row."""
        spec = self.specs.pop(spec_id)
        yes, no = len(spec.approvals), len(spec.denials)
        to_approvers: dict[str, int] = {}
        to_thread = to_treasury = 0
        if yes == len(spec.voters):
            outcome = "approved"
            to_approvers = dict.fromkeys(spec.approvals, spec.stake // yes)
            to_thread = spec.stake - yes * (spec.stake // yes)
            if spec.author not in self.co_authors[spec.thread]:
                self.co_authors[spec.thread].append(spec.author)
        elif no and not yes:
            outcome, to_thread = "denied", spec.stake
        elif no:
            outcome, to_treasury = "denied", spec.stake * yes // (yes + no)
            to_thread = spec.stake - to_treasury
        else:
            outcome, to_treasury = "expired", spec.stake
        for approver, share in to_approvers.items():
            self._pay(approver, share)
        self.threads[spec.thread] += to_thread
        self.prior_pool += to_treasury
        self.flows.append((spec_id, outcome, to_approvers, 0, to_thread, to_treasury))

    def _endorse(self, proposal_id: str, member: str) -> None:
        action, endorsers = self.proposals[proposal_id]
        endorsers.add(member)
        if len(endorsers) < self.threshold:
            return
        del self.proposals[proposal_id]
        if isinstance(action, TreasuryTransfer):
            self.treasury -= int(action.amount)
            self._pay(action.to, int(action.amount))
        elif isinstance(action, SetParameter):
            fields = {name: getattr(self.params, name) for name in self.params.__struct_fields__}
            self.params = Params(**{**fields, action.name: action.value})

    def _pay(self, address: str, amount: int) -> None:
        self.wallets[address] = self.wallets.get(address, 0) + amount
        assert self.wallets[address] >= 0, f"{address} is overdrawn"
