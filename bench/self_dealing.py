"""Does it pay to deal with oneself? A seeded simulation of sock puppets, each strategy beside honest people.

Prints one JSON object: the profit of each strategy in uchoir (what its ring holds at the end, less what it held at the
start; the use of premium itself is counted as worth nothing) and what honest co-authors earned in the same world.

    python bench/self_dealing.py --seed 1 --days 30
"""

import argparse
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from random import Random
from typing import Any

import msgspec

from choir.ledger.entities import ACCOUNTS, SPECS, THREADS, Account, Spec, Thread
from choir.ledger.envelope import CheckedTransaction
from choir.ledger.events import NewMessageRewarded, PriorRewarded
from choir.ledger.genesis import Genesis, make_state
from choir.ledger.params import EPOCH_MS, Params
from choir.ledger.transactions import (
    AnyBody,
    CreateThread,
    PostMessage,
    ProcessApproval,
    SubmitSpec,
    SubscribePremium,
    Transaction,
    canonical_bytes,
    transaction_hash,
)
from choir.ledger.transition import Block, apply_block
from choir.primitives.addresses import encode_address
from choir.primitives.amounts import UCHOIR_PER_CHOIR

CHAIN_ID = "choir-simulation"
START_MS = 1_704_067_200_000
DAY_MS = 86_400_000
BALANCE = 5_000 * UCHOIR_PER_CHOIR
STAKE = str(100 * UCHOIR_PER_CHOIR)
RING_SIZE = 5
HONEST_SIZE = 6
Ring = list[str]


@dataclass
class World:
    """A ledger of its own; transactions are taken as authentic, since signatures do not change what pays."""

    rng: Random
    ring: Ring = field(init=False)
    honest: Ring = field(init=False)

    def __post_init__(self) -> None:
        people = [encode_address(self.rng.randbytes(32)) for _ in range(RING_SIZE + HONEST_SIZE)]
        self.ring, self.honest = people[:RING_SIZE], people[RING_SIZE:]
        self.state = make_state(
            Genesis(
                chain_id=CHAIN_ID,
                time_ms=START_MS,
                validators=(people[0],),
                allocations={address: str(BALANCE) for address in people},
                params=Params(threads_per_hour=1000, messages_per_hour=1000),
            )
        )
        self.messages: list[str] = []
        self.author_rewards: dict[str, int] = {}
        self.thread_rewards: dict[str, int] = {}

    def hex(self, digits: int) -> str:
        return self.rng.randbytes(digits // 2).hex()

    def send(self, transactions: Iterable[tuple[str, AnyBody]], after_ms: int = 1000) -> None:
        """One block. What is refused (no funds left, say) is simply a move that the sender did not get."""
        nonces: dict[str, int] = {}
        checked = []
        for sender, body in transactions:
            nonce = nonces.setdefault(sender, self.account(sender).nonce)
            nonces[sender] += 1
            transaction = Transaction(body=body, chain_id=CHAIN_ID, nonce=nonce, sender=sender)
            raw = canonical_bytes(transaction)
            checked.append(CheckedTransaction(raw, transaction_hash(raw), transaction))
        chain = self.state.chain
        result = apply_block(self.state, Block(chain.height + 1, chain.time_ms + after_ms, checked))
        self.state.commit(result.changes)
        for event in result.events:
            if isinstance(event, NewMessageRewarded):
                self.author_rewards[event.author] = self.author_rewards.get(event.author, 0) + event.amount
            elif isinstance(event, PriorRewarded):
                self.thread_rewards[event.thread_id] = self.thread_rewards.get(event.thread_id, 0) + event.amount

    def account(self, address: str) -> Account:
        return self.state.get(ACCOUNTS, address) or Account()

    def thread(self, creator: str) -> str:
        """A new public thread of ``creator``."""
        thread_id = self.hex(32)
        self.send([(creator, CreateThread(thread_id=thread_id, privacy="public"))])
        return thread_id

    def post(self, author: str, thread_id: str, priors: Iterable[str] = ()) -> str:
        content_hash = self.hex(64)
        self.send([(author, PostMessage(thread_id=thread_id, content_hash=content_hash, priors=tuple(priors)))])
        return content_hash

    def spec(self, author: str, thread_id: str, votes: dict[str, bool], priors: Iterable[str] = ()) -> str:
        """A spec and the votes on it, in their order."""
        spec_id = self.hex(64)
        body = SubmitSpec(thread_id=thread_id, content_hash=spec_id, stake=STAKE, priors=tuple(priors))
        self.send([(author, body)])
        self.send([(voter, ProcessApproval(spec_id=spec_id, approve=approve)) for voter, approve in votes.items()])
        return spec_id

    def buy_premium(self, address: str) -> None:
        self.send([(address, SubscribePremium(periods=1))])

    def end_epoch(self) -> None:
        self.send([], after_ms=EPOCH_MS)

    def wealth(self, people: Ring) -> int:
        """Wallets, the stakes in escrow, and the whole balance of threads that belong to ``people`` alone, although a
        part of it could never be divested."""
        total = sum(self.account(address).balance for address in people)
        for key, value in self.state.items():
            if key.startswith(THREADS.prefix):
                thread: Thread = msgspec.json.decode(value, type=Thread)
                total += thread.balance if set(thread.co_authors) <= set(people) else 0
            elif key.startswith(SPECS.prefix):
                spec: Spec = msgspec.json.decode(value, type=Spec)
                total += spec.stake if spec.author in people else 0
        return total


def approve_own_specs(world: World) -> None:
    """One puppet's spec, approved by another in its own thread."""
    owner, author = world.rng.sample(world.ring, 2)
    world.spec(author, world.thread(owner), {owner: True})


def approve_own_specs_with_premium(world: World) -> None:
    owner, author = world.rng.sample(world.ring, 2)
    world.buy_premium(owner)
    for _ in range(3):
        world.spec(author, world.thread(owner), {owner: True})


def cite_own_messages(world: World) -> None:
    """All other puppets cite one puppet's messages."""
    owner = world.rng.choice(world.ring)
    thread_id = world.thread(owner)
    priors = [world.post(owner, thread_id) for _ in range(16)]
    for reader in world.ring:
        if reader != owner:
            world.post(reader, world.thread(reader), priors)


def cite_own_messages_with_premium(world: World) -> None:
    for reader in world.rng.sample(world.ring, 2):
        world.buy_premium(reader)
    cite_own_messages(world)


def split_own_vote(world: World) -> None:
    """Two puppets disagree on a third one's spec, so that half its stake feeds the pool that pays citations."""
    owner, partner, author = world.rng.sample(world.ring, 3)
    thread_id = world.thread(owner)
    world.spec(partner, thread_id, {owner: True})
    world.spec(author, thread_id, {owner: True, partner: False})
    cite_own_messages(world)


def let_own_specs_expire(world: World) -> None:
    owner, author = world.rng.sample(world.ring, 2)
    world.spec(author, world.thread(owner), {})
    cite_own_messages(world)


def deny_own_specs(world: World) -> None:
    owner, author = world.rng.sample(world.ring, 2)
    world.spec(author, world.thread(owner), {owner: False})


def join_to_be_cited(world: World) -> None:
    """A puppet cites a thread in the very spec by which it joins it."""
    owner, author = world.rng.sample(world.ring, 2)
    world.buy_premium(world.rng.choice((owner, author)))
    thread_id = world.thread(owner)
    priors = [world.post(owner, thread_id) for _ in range(8)]
    world.spec(author, thread_id, {owner: True}, priors)


def ride_on_others(world: World) -> None:
    """Puppets cite each other while honest premium fills the pool, and cite honest messages in passing."""
    cite_own_messages(world)
    for reader in world.ring:
        world.post(reader, world.thread(reader), world.messages[-16:])


def anything(world: World) -> None:
    """A random pair of the above."""
    for strategy in world.rng.sample([s for name, s in STRATEGIES.items() if name != "anything"], 2):
        strategy(world)


STRATEGIES: dict[str, Callable[[World], None]] = {
    strategy.__name__: strategy
    for strategy in (
        approve_own_specs,
        approve_own_specs_with_premium,
        cite_own_messages,
        cite_own_messages_with_premium,
        split_own_vote,
        let_own_specs_expire,
        deny_own_specs,
        join_to_be_cited,
        ride_on_others,
        anything,
    )
}


def live_honestly(world: World, author_thread: str) -> None:
    """A day of the others: an author writes, readers who paid for premium cite, a newcomer's spec is approved."""
    author, *readers = world.honest
    world.messages.append(world.post(author, author_thread))
    for reader in readers[:3]:
        if world.account(reader).premium_until_ms <= world.state.chain.time_ms:
            world.buy_premium(reader)
        world.post(reader, world.thread(reader), world.messages[-3:])
    owner, newcomer = readers[0], readers[-1]
    world.spec(newcomer, world.thread(owner), {owner: True})


def run_strategy(strategy: Callable[[World], None], seed: int, days: int) -> dict[str, Any]:
    """The result of one strategy played every day in a world of its own."""
    world = World(Random(f"{seed} {strategy.__name__}"))
    author_thread = world.thread(world.honest[0])
    before = world.wealth(world.ring)
    for _ in range(days):
        strategy(world)
        live_honestly(world, author_thread)
        world.end_epoch()
        world.send([], after_ms=DAY_MS - EPOCH_MS)
    # Long enough for every open spec to settle and the last rewards to be paid.
    world.send([], after_ms=8 * DAY_MS)
    world.end_epoch()
    ring_rewards = sum(world.author_rewards.get(address, 0) for address in world.ring)
    return {
        "profit": world.wealth(world.ring) - before,
        "ring_author_rewards": ring_rewards,
        "honest_thread_reward": world.thread_rewards.get(author_thread, 0),
        "honest_author_rewards": sum(world.author_rewards.get(address, 0) for address in world.honest),
    }


def simulate(seed: int, days: int) -> dict[str, Any]:
    """Every strategy, each from the same seed. Amounts in uchoir."""
    results = {name: run_strategy(strategy, seed, days) for name, strategy in STRATEGIES.items()}
    return {"seed": seed, "days": days, "ring_size": RING_SIZE, "strategies": results}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--days", type=int, default=30)
    arguments = parser.parse_args()
    print(json.dumps(simulate(arguments.seed, arguments.days), indent=2))


if __name__ == "__main__":
    main()
