"""Random blocks of all transactions, valid and hostile, against the laws of the ledger and a second account book."""

import os
from random import Random
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, event, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from choir.ledger import transactions as tx
from choir.ledger import transition
from choir.ledger.blocks import NO_BLOCK_HASH, Header, SignedHeader, header_bytes
from choir.ledger.entities import ACCOUNTS, MESSAGES, PROPOSALS, SPECS, THREADS, Account, Thread
from choir.ledger.events import NewMessageRewarded, PriorRewarded, SpecSettled
from choir.ledger.params import BOUNDS, EPOCH_MS, Params
from choir.ledger.rewards import close_epoch_if_due
from choir.ledger.snapshot import restore_snapshot, take_snapshot
from choir.ledger.state import Draft, State
from choir.primitives.amounts import TOTAL_SUPPLY_UCHOIR, UCHOIR_PER_CHOIR
from tests.ledger.support import (
    CHAIN_ID,
    COUNCIL,
    NAMES,
    VALIDATOR,
    Ledger,
    address,
    content,
    key,
    make_genesis,
    replay,
    sign,
    thread_id,
)
from tests.property.model import Model

C = UCHOIR_PER_CHOIR
# Short windows and small allowances, so that random walks reach the far side of each.
PARAMS = Params(
    spec_window_seconds=300,
    divest_cooldown_seconds=120,
    minimum_thread_balance=C,
    co_author_limit=5,
    prior_limit=4,
    threads_per_hour=20,
    messages_per_hour=60,
    premium_price=5 * C,
    premium_period_seconds=200,
)
GENESIS = make_genesis(PARAMS, balance=1000 * C)
PEOPLE = (*NAMES[:5], "nobody")

EVERYONE = (*PEOPLE, *COUNCIL)
MEMBERS = (*COUNCIL, *COUNCIL, *PEOPLE)
LEVELS = ("public", "public", "public", "premium", "thread", "encrypted")
BAD_AMOUNTS = (0, -1, 1001 * C, TOTAL_SUPPLY_UCHOIR, TOTAL_SUPPLY_UCHOIR + 1, 10**39)
AMOUNTS = (1, C, 2 * C, 3 * C + 1, 30 * C, 99 * C, 1000 * C, *BAD_AMOUNTS)
# Enough more often than not, and leaving every remainder.
STAKES = (*range(100 * C, 100 * C + 12), 200 * C + 1, 100 * C - 1, *BAD_AMOUNTS)
MOSTLY_YES = (True, True, False)
JUMPS_MS = (1, 1000, 1000, 7000, 7000, 30_000, EPOCH_MS - 1, EPOCH_MS, 130_000, 301_000, 4_000_000, 90_000_000)
HOSTILE_BYTES = (b"", b"{}", b"[[[", b'{"\\ud800":1}', b"\xff\x00", b'{"nonce":1.5}')

# How often each kind of transaction is sent.
ACTIONS = [
    *["withdraw_spec", "set_privacy", "erase", "replay_old_transaction", "wrong_nonce", "hostile_bytes", "conditional"],
    *["create_thread", "transfer", "subscribe_premium", "propose", "endorse", "resume"] * 2,
    *["post_message", "process_approval", "many_vote", "divest"] * 3,
    *["submit_spec"] * 6,
]


class LedgerMachine(RuleBasedStateMachine):
    """Actions put transactions into the next block; ``seal`` applies it and checks everything."""

    @initialize()
    def begin(self) -> None:
        self.ledger = Ledger(GENESIS)
        self.model = Model(GENESIS)
        self.pending: list[bytes] = []
        self.used: dict[str, int] = {}
        self.label = 0
        self.snapshot: tuple[int, list[bytes]] | None = None
        # A thread to begin with, so that the first random steps already meet something.
        self.say("alice", tx.CreateThread(thread_id=thread_id("0"), privacy="public"))
        self.seal(1000)

    # What goes into the next block.

    def say(self, name: str, body: tx.AnyBody, **envelope: Any) -> None:
        nonce = self.ledger.nonce(name) + self.used.get(name, 0)
        self.used[name] = self.used.get(name, 0) + 1
        self.pending.append(sign(name, body, nonce, **envelope))

    def create_thread(self, rng: Random) -> None:
        label, level = rng.choice(range(6)), rng.choice(LEVELS)
        self.say(rng.choice(PEOPLE), tx.CreateThread(thread_id=thread_id(str(label)), privacy=level))

    def post_message(self, rng: Random) -> None:
        thread, name = self.draw_membership(rng)
        self.say(
            name,
            tx.PostMessage(
                thread_id=thread,
                content_hash=self.draw_new_hash(rng),
                priors=self.draw_priors(rng),
                privacy=rng.choice((None, *LEVELS)),
            ),
        )

    def submit_spec(self, rng: Random) -> None:
        thread, member = self.draw_membership(rng)
        known: Thread | None = self.ledger.state.get(THREADS, thread)
        outsiders = [name for name in PEOPLE if known is not None and address(name) not in known.co_authors]
        self.say(
            rng.choice([*outsiders * 3, member]),
            tx.SubmitSpec(
                thread_id=thread,
                content_hash=self.draw_new_hash(rng),
                stake=str(rng.choice(STAKES)),
                priors=self.draw_priors(rng),
                privacy=rng.choice((None, *LEVELS)),
            ),
        )

    def process_approval(self, rng: Random) -> None:
        spec_id = self.draw_spec(rng)
        spec = self.ledger.state.get(SPECS, spec_id)
        voters = [] if spec is None else [name for name in PEOPLE if address(name) in spec.voters]
        name = rng.choice([*voters * 4, *PEOPLE])
        self.say(name, tx.ProcessApproval(spec_id=spec_id, approve=rng.choice(MOSTLY_YES)))

    def many_vote(self, rng: Random) -> None:
        """Most people vote, in any order, strangers too; one of them may differ."""
        if not self.model.specs:
            return self.submit_spec(rng)
        spec_id, approve, other = self.draw_spec(rng), rng.choice(MOSTLY_YES), rng.choice(PEOPLE)
        for name in rng.sample(PEOPLE, rng.choice((len(PEOPLE), len(PEOPLE), 2, 4))):
            self.say(name, tx.ProcessApproval(spec_id=spec_id, approve=approve ^ (name == other)))
        return None

    def withdraw_spec(self, rng: Random) -> None:
        spec_id = self.draw_spec(rng)
        message = self.ledger.state.get(MESSAGES, spec_id)
        authors = [name for name in PEOPLE if message is not None and address(name) == message.author]
        self.say(rng.choice([*authors * 9, *PEOPLE]), tx.WithdrawSpec(spec_id=spec_id))

    def divest(self, rng: Random) -> None:
        thread, name = self.draw_membership(rng)
        self.say(name, tx.Divest(thread_id=thread, amount=str(rng.choice(AMOUNTS))))

    def transfer(self, rng: Random) -> None:
        self.say(rng.choice(PEOPLE), tx.Transfer(to=address(rng.choice(EVERYONE)), amount=str(rng.choice(AMOUNTS))))

    def set_privacy(self, rng: Random) -> None:
        self.say(rng.choice(PEOPLE), tx.SetPrivacy(message_hash=self.draw_known_hash(rng), level=rng.choice(LEVELS)))

    def erase(self, rng: Random) -> None:
        self.say(rng.choice(PEOPLE), tx.Erase(message_hash=self.draw_known_hash(rng)))

    def subscribe_premium(self, rng: Random) -> None:
        self.say(rng.choice(PEOPLE), tx.SubscribePremium(periods=rng.choice((1, 2, 3))))

    def propose(self, rng: Random) -> None:
        name = rng.choice(("minimum_stake", "co_author_limit", "prior_limit", "nonsense"))
        low, high = BOUNDS.get(name, (0, 0))
        value = rng.choice((low, low + 1, high, high + 1))
        transfer = tx.TreasuryTransfer(to=address(rng.choice(EVERYONE)), amount=str(rng.choice(AMOUNTS)))
        actions = (transfer, tx.SetParameter(name=name, value=value), tx.Pause(), tx.Resume())
        self.say(rng.choice(MEMBERS), tx.Propose(action=rng.choice(actions)))

    def endorse(self, rng: Random) -> None:
        known = [*list(self.model.proposals) * 9, "0" * 64]
        self.say(rng.choice(MEMBERS), tx.Endorse(proposal_id=rng.choice(known)))

    def resume(self, rng: Random) -> None:
        """Both members at once, so that a paused ledger does not end the walk."""
        if self.ledger.state.chain.is_paused:
            self.say(COUNCIL[0], tx.Propose(action=tx.Resume()))
            self.say(COUNCIL[1], tx.Endorse(proposal_id=tx.transaction_hash(self.pending[-1])))

    def replay_old_transaction(self, rng: Random) -> None:
        self.pending.append(rng.choice([raw for block in self.ledger.blocks for raw in block.raws]))

    def wrong_nonce(self, rng: Random) -> None:
        name, gap = rng.choice(PEOPLE), rng.choice((-1, 1, 1000))
        nonce = max(0, self.ledger.nonce(name) + self.used.get(name, 0) + gap)
        self.pending.append(sign(name, tx.Transfer(to=address("alice"), amount="1"), nonce))

    def hostile_bytes(self, rng: Random) -> None:
        name = rng.choice(PEOPLE)
        raw = rng.choice(HOSTILE_BYTES)
        good = sign(name, tx.Transfer(to=address("alice"), amount="1"), self.ledger.nonce(name))
        forged = good.replace(b'"amount":"1"', b'"amount":"9"')
        foreign = sign(name, tx.Transfer(to=address("bob"), amount="1"), self.ledger.nonce(name), chain_id="other")
        self.pending.append(rng.choice((raw, good + b" ", forged, foreign)))

    def conditional(self, rng: Random) -> None:
        old = [tx.transaction_hash(block.raws[0]) for block in self.ledger.blocks if block.raws]
        self.say(
            rng.choice(PEOPLE),
            tx.SubscribePremium(periods=1),
            expires_at=self.ledger.now_ms + rng.choice((1, 10_000_000_000)),
            depends_on=rng.choice([None, "0" * 64, *old]),
        )

    # What the actions choose from.

    def draw_membership(self, rng: Random) -> tuple[str, str]:
        """A thread and, more often than not, one of its co-authors."""
        thread = rng.choice([*self.model.threads, *self.model.threads, thread_id("unknown")])
        co_authors = self.model.co_authors.get(thread, [])
        names = [name for name in PEOPLE if address(name) in co_authors]
        return thread, rng.choice([*names * 4, *PEOPLE])

    def draw_new_hash(self, rng: Random) -> str:
        self.label += 1
        return content(str(rng.choice((self.label, self.label, self.label, max(0, self.label - 3)))))

    def draw_known_hash(self, rng: Random) -> str:
        return content(str(rng.choice(range(self.label + 2))))

    def draw_priors(self, rng: Random) -> tuple[str, ...]:
        known = [content(str(label)) for label in range(self.label)]
        approved = [h for h in known if self.is_approved(h)]
        unknown = [content("unknown")] if rng.random() < 0.1 else []
        return (*rng.sample(approved, min(len(approved), rng.randrange(4))), *unknown)

    def is_approved(self, content_hash: str) -> bool:
        message = self.ledger.state.get(MESSAGES, content_hash)
        return message is not None and message.status == "approved"

    def draw_spec(self, rng: Random) -> str:
        return rng.choice([*list(self.model.specs) * 9, self.draw_known_hash(rng)])

    # The block, and the laws.

    @rule(rng=st.randoms(use_true_random=True))
    def block(self, rng: Random) -> None:
        """Several transactions, whoever sends them, and some time. Hypothesis draws the seed of each block, so that
        it can leave blocks out when it shrinks, and the choices within are evenly spread."""
        for action in rng.choices(ACTIONS, k=rng.randrange(12)):
            getattr(self, action)(rng)
        self.seal(rng.choice(JUMPS_MS))

    def seal(self, jump_ms: int) -> None:
        state, raws = self.ledger.state, self.pending
        self.pending, self.used = [], {}
        before, hash_before = dict(state.items()), state.app_hash
        time_ms = self.ledger.now_ms + jump_ms
        self.check_refusals(raws, time_ms)
        transition.apply_block(state, self.ledger.make_block(raws, time_ms))
        assert dict(state.items()) == before, "apply_block touched the state it was given"
        assert state.app_hash == hash_before
        result = self.ledger.apply(raws, at_ms=time_ms)
        self.follow(raws, result, time_ms)
        self.check_laws()

    @rule()
    def snapshot_now(self) -> None:
        self.snapshot = (len(self.ledger.blocks), self.write_snapshot())

    def check_refusals(self, raws: list[bytes], time_ms: int) -> None:
        """One transaction at a time: a refused one changes nothing but its sender's nonce."""
        block = self.ledger.make_block(raws, time_ms)
        draft = Draft(self.ledger.state)
        chain = transition._begin_block(draft, block)
        close_epoch_if_due(draft, chain.genesis_time_ms, time_ms, [])
        for index, checked in enumerate(block.transactions):
            before = draft.changes().entries
            nonces = {name: self.account_in(draft, name) for name in (*PEOPLE, *COUNCIL)}
            receipt = transition.process_transaction(draft, block, index, checked, [])
            event(receipt.name)
            after = draft.changes().entries
            if receipt.code == 0:
                continue
            changed = {key for key in after if key not in before or before[key] != after[key]}
            assert before.keys() <= after.keys()
            if checked.transaction is None or receipt.name == "NonceMismatch":
                assert not changed, receipt
                continue
            sender = checked.transaction.sender
            assert changed == {ACCOUNTS.prefix + sender}, receipt
            was = next(account for name, account in nonces.items() if address(name) == sender)
            assert draft.get(ACCOUNTS, sender) == msgspec.structs.replace(was, nonce=was.nonce + 1)

    def account_in(self, draft: Draft, name: str) -> Account:
        return draft.get(ACCOUNTS, address(name)) or Account()

    def follow(self, raws: list[bytes], result: transition.BlockResult, time_ms: int) -> None:
        """Let the account book do what the block did, and compare every settlement."""
        for paid in result.events:
            if isinstance(paid, NewMessageRewarded | PriorRewarded):
                self.model.reward(paid)
        for raw, receipt in zip(raws, result.receipts, strict=True):
            assert receipt.tx_hash == tx.transaction_hash(raw)
            if receipt.code == 0:
                transaction = msgspec.json.decode(raw, type=tx.Transaction)
                self.model.accept(transaction.sender, receipt.tx_hash, transaction.body, time_ms)
        self.model.expire(time_ms)
        settled = [
            (e.spec_id, e.outcome, e.to_approvers, e.to_author, e.to_thread, e.to_treasury)
            for e in result.events
            if isinstance(e, SpecSettled)
        ]
        for flow in settled:
            event(f"settled: {flow[1]}")
        assert settled == self.model.flows
        self.model.flows = []

    def check_laws(self) -> None:
        state, model = self.ledger.state, self.model
        assert state.total_held() == TOTAL_SUPPLY_UCHOIR  # raises for a negative amount
        assert State(list(state._entries.items())).app_hash == state.app_hash
        for name in (*PEOPLE, *COUNCIL):
            assert self.ledger.balance(name) == model.wallets.get(address(name), 0), name
        assert {key for key in state._entries if key.startswith(SPECS.prefix)} == {
            SPECS.prefix + s for s in model.specs
        }
        for thread_label, co_authors in model.co_authors.items():
            thread: Thread = state.get(THREADS, thread_label)
            assert list(thread.co_authors) == co_authors
            assert co_authors
            assert thread.balance == model.threads[thread_label]
            assert thread.open_spec_count == sum(spec.thread == thread_label for spec in model.specs.values())
        treasury = state.treasury
        assert (treasury.balance, treasury.prior_pool) == (model.treasury, model.prior_pool)
        assert treasury.new_message_pool == model.new_message_pool
        assert {key for key in state._entries if key.startswith(PROPOSALS.prefix)} == {
            PROPOSALS.prefix + p for p in model.proposals
        }

    def write_snapshot(self) -> list[bytes]:
        chain = self.ledger.state.chain
        header = Header(
            app_hash=self.ledger.state.app_hash,
            chain_id=CHAIN_ID,
            data_hash="0" * 64,
            height=chain.height,
            previous_hash=NO_BLOCK_HASH,
            proposer=address(VALIDATOR),
            results_hash="0" * 64,
            time_ms=chain.time_ms,
        )
        signed = SignedHeader(header=header, signature=key(VALIDATOR).sign(header_bytes(header)))
        return take_snapshot(self.ledger.state, GENESIS, signed)[1]

    def teardown(self) -> None:
        if not hasattr(self, "ledger"):
            return
        final = self.ledger.state.app_hash
        assert replay(GENESIS, self.ledger.blocks).app_hash == final
        if self.snapshot is not None:
            height, lines = self.snapshot
            resumed = Ledger(GENESIS)
            _, resumed.state = restore_snapshot(lines)
            for block in self.ledger.blocks[height:]:
                resumed.apply(block.raws, at_ms=block.time_ms)
            assert resumed.state.app_hash == final


def run_machine(examples: int, steps: int) -> None:
    run_state_machine_as_test(
        LedgerMachine,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            print_blob=True,
            suppress_health_check=list(HealthCheck),
        ),
    )


def test_ledger_machine() -> None:
    run_machine(int(os.environ.get("CHOIR_MACHINE_EXAMPLES", "60")), 60)


@pytest.mark.slow
def test_ledger_machine_for_long() -> None:
    run_machine(150, 100)
