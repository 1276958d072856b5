"""A chain in memory for the tests: named keys, a genesis, and a driver that signs, applies and commits blocks."""

from collections.abc import Iterable, Sequence
from functools import cache
from hashlib import sha256
from typing import Any, NamedTuple

from choir.ledger.entities import ACCOUNTS, THREADS, Account, Thread
from choir.ledger.envelope import CheckedTransaction, check_transaction
from choir.ledger.genesis import Genesis, make_state
from choir.ledger.params import Params
from choir.ledger.state import State
from choir.ledger.transactions import (
    AnyBody,
    CreateThread,
    PostMessage,
    ProcessApproval,
    SubmitSpec,
    Transaction,
    canonical_bytes,
    signing_bytes,
)
from choir.ledger.transition import Block, BlockResult, apply_block
from choir.primitives.amounts import UCHOIR_PER_CHOIR
from choir.primitives.signatures import SigningKey

CHAIN_ID = "choir-vectors"
# Midnight, so that days of block time begin where one expects them.
GENESIS_MS = 1_704_067_200_000
NAMES = ("alice", "bob", "carol", "dave", "erin", "frank")
COUNCIL = ("council_a", "council_b", "council_c")
VALIDATOR = "validator"
STAKE = 100 * UCHOIR_PER_CHOIR
DAY_MS = 86_400_000


@cache
def key(name: str) -> SigningKey:
    """The key of a name: its seed is a digest of the name, so every language can make it."""
    return SigningKey(sha256(f"choir vector key {name}".encode()).digest())


def address(name: str) -> str:
    return key(name).address


def thread_id(label: str) -> str:
    return sha256(f"thread {label}".encode()).hexdigest()[:32]


def content(label: str) -> str:
    """A content hash; what it is the hash of does not matter to the ledger."""
    return sha256(f"content {label}".encode()).hexdigest()


def make_genesis(params: Params | None = None, balance: int = 10_000 * UCHOIR_PER_CHOIR) -> Genesis:
    return Genesis(
        chain_id=CHAIN_ID,
        time_ms=GENESIS_MS,
        validators=(address(VALIDATOR),),
        allocations={address(name): str(balance) for name in NAMES},
        council_members=tuple(address(name) for name in COUNCIL),
        council_threshold=2,
        params=params or Params(),
    )


def sign(name: str, body: AnyBody, nonce: int, **envelope: Any) -> bytes:
    """The canonical bytes of a transaction signed by ``name``. ``envelope`` overrides fields of the envelope."""
    fields: dict[str, Any] = {"chain_id": CHAIN_ID, "sender": address(name), **envelope}
    unsigned = Transaction(body=body, nonce=nonce, **fields)
    return canonical_bytes(
        Transaction(body=body, nonce=nonce, signature=key(name).sign(signing_bytes(unsigned)), **fields)
    )


class Recorded(NamedTuple):
    """A block as an engine would store it."""

    time_ms: int
    raws: tuple[bytes, ...]


class Ledger:
    """A ledger that is driven block by block and remembers the blocks."""

    def __init__(self, genesis: Genesis | None = None) -> None:
        self.genesis = genesis or make_genesis()
        self.state = make_state(self.genesis)
        self.blocks: list[Recorded] = []

    @property
    def now_ms(self) -> int:
        return self.state.chain.time_ms

    def nonce(self, name: str) -> int:
        account = self.state.get(ACCOUNTS, address(name))
        return 0 if account is None else account.nonce

    def sign_all(self, transactions: Iterable[tuple[str, AnyBody]]) -> list[bytes]:
        """Sign with the nonces that follow when all are put in one block."""
        used: dict[str, int] = {}
        raws = []
        for name, body in transactions:
            raws.append(sign(name, body, self.nonce(name) + used.get(name, 0)))
            used[name] = used.get(name, 0) + 1
        return raws

    def apply(self, raws: Sequence[bytes] = (), *, at_ms: int | None = None) -> BlockResult:
        """One block, a second after the last unless ``at_ms`` says when; committed."""
        time_ms = self.now_ms + 1000 if at_ms is None else at_ms
        result = apply_block(self.state, self.make_block(raws, time_ms))
        self.state.commit(result.changes)
        self.blocks.append(Recorded(time_ms, tuple(raws)))
        return result

    def make_block(self, raws: Sequence[bytes], time_ms: int) -> Block:
        checked: list[CheckedTransaction] = [check_transaction(raw, self.genesis.chain_id) for raw in raws]
        return Block(self.state.chain.height + 1, time_ms, checked)

    def run(self, *transactions: tuple[str, AnyBody], at_ms: int | None = None) -> BlockResult:
        """Sign and apply in one block."""
        return self.apply(self.sign_all(transactions), at_ms=at_ms)

    def must(self, *transactions: tuple[str, AnyBody], at_ms: int | None = None) -> BlockResult:
        """As ``run``, for what has to succeed."""
        result = self.run(*transactions, at_ms=at_ms)
        refused = [receipt for receipt in result.receipts if receipt.code]
        assert not refused, refused
        return result

    def balance(self, name: str) -> int:
        return self.account(name).balance

    def account(self, name: str) -> Account:
        return self.state.get(ACCOUNTS, address(name)) or Account()

    def thread(self, label: str) -> Thread:
        thread: Thread = self.state.get(THREADS, thread_id(label))
        return thread


def replay(genesis: Genesis, blocks: Iterable[Recorded]) -> State:
    """The state after all blocks, from genesis."""
    ledger = Ledger(genesis)
    for block in blocks:
        ledger.apply(block.raws, at_ms=block.time_ms)
    return ledger.state


def create(label: str = "T", privacy: str = "public") -> CreateThread:
    return CreateThread(thread_id=thread_id(label), privacy=privacy)  # type: ignore[arg-type]


def post(label: str, message: str, *priors: str, privacy: str | None = None) -> PostMessage:
    return PostMessage(
        thread_id=thread_id(label),
        content_hash=content(message),
        priors=tuple(content(prior) for prior in priors),
        privacy=privacy,  # type: ignore[arg-type]
    )


def spec(label: str, message: str, *priors: str, stake: int = STAKE, privacy: str | None = None) -> SubmitSpec:
    return SubmitSpec(
        thread_id=thread_id(label),
        content_hash=content(message),
        stake=str(stake),
        priors=tuple(content(prior) for prior in priors),
        privacy=privacy,  # type: ignore[arg-type]
    )


def vote(message: str, approve: bool = True) -> ProcessApproval:
    return ProcessApproval(spec_id=content(message), approve=approve)
