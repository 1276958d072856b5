"""A vector case as it is declared: what is set up, what is sent, and what must come of it, written by hand."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from choir.ledger.entities import MESSAGES, SPECS
from choir.ledger.errors import Code
from choir.ledger.genesis import Genesis
from choir.ledger.transactions import SIGNING_PREFIX, AnyBody, transaction_hash
from choir.primitives.amounts import UCHOIR_PER_CHOIR
from choir.primitives.canonical import canonical_json
from tests.ledger.support import COUNCIL, GENESIS_MS, NAMES, Ledger, content, key, make_genesis, sign

C = UCHOIR_PER_CHOIR
B = 10_000 * C  # what each named account holds at genesis
BASE = make_genesis()

BodyOf = AnyBody | Callable[[Ledger], AnyBody]


@dataclass(frozen=True)
class Wait:
    """Milliseconds that pass before the next block of the setup."""

    ms: int


Blocks = list[Wait | list[tuple[str, BodyOf]]]


@dataclass(frozen=True)
class Case:
    """``code`` None: it takes effect. ``after`` names amounts and facts once the block is applied: a bare name is a
    wallet; the other words are read by `observe`. The block has no transaction when ``sender`` and ``raw`` are None."""

    name: str
    sender: str | None = None
    body: BodyOf | None = None
    code: Code | None = None
    after: dict[str, Any] = field(default_factory=dict)
    setup: Blocks = field(default_factory=list)
    after_ms: int = 1000
    envelope: Callable[[Ledger], dict[str, Any]] | None = None
    raw: Callable[[Ledger], bytes] | None = None
    genesis: Genesis = BASE

    def prepare(self) -> Ledger:
        """The ledger with the setup applied, all of which must succeed."""
        ledger = Ledger(self.genesis)
        wait_ms = 1000
        for step in self.setup:
            if isinstance(step, Wait):
                wait_ms += step.ms
                continue
            ledger.must(*[(name, resolve(body, ledger)) for name, body in step], at_ms=ledger.now_ms + wait_ms)
            wait_ms = 1000
        return ledger

    def transaction(self, ledger: Ledger) -> bytes | None:
        """The bytes under test."""
        if self.raw is not None:
            return self.raw(ledger)
        if self.sender is None or self.body is None:
            return None
        envelope = self.envelope(ledger) if self.envelope else {}
        nonce = envelope.pop("nonce", ledger.nonce(self.sender))
        return sign(self.sender, resolve(self.body, ledger), nonce, **envelope)


def resolve(body: BodyOf, ledger: Ledger) -> AnyBody:
    return body(ledger) if callable(body) else body


def last_hash(ledger: Ledger) -> str:
    """The hash of the last transaction of the setup."""
    return transaction_hash(ledger.blocks[-1].raws[-1])


def sign_json(name: str, transaction: dict[str, Any]) -> bytes:
    """Sign any JSON object, however wrong as a transaction."""
    unsigned = {field: value for field, value in transaction.items() if field != "signature"}
    signature = key(name).sign(SIGNING_PREFIX + canonical_json(unsigned))
    return canonical_json({**unsigned, "signature": signature})


def with_body(name: str, body: AnyBody, **fields: Any) -> Callable[[Ledger], bytes]:
    """A correctly signed transaction whose body has other ``fields`` than its type allows."""

    def make(ledger: Ledger) -> bytes:
        transaction = json.loads(sign(name, body, ledger.nonce(name)))
        transaction["body"].update(fields)
        return sign_json(name, transaction)

    return make


def observe(ledger: Ledger, what: str) -> Any:
    """What ``after`` names: an account's wallet, or ``word subject``."""
    word, _, subject = what.partition(" ")
    treasury = ledger.state.treasury
    readers: dict[str, Callable[[], Any]] = {
        "nonce": lambda: ledger.nonce(subject),
        "sponsorship": lambda: ledger.account(subject).sponsorship,
        "premium_until": lambda: ledger.account(subject).premium_until_ms - GENESIS_MS,
        "thread": lambda: ledger.thread(subject).balance,
        "messages": lambda: ledger.thread(subject).message_count,
        "co_authors": lambda: _names(ledger.thread(subject).co_authors),
        "status": lambda: ledger.state.get(MESSAGES, content(subject)).status,
        "privacy": lambda: ledger.state.get(MESSAGES, content(subject)).privacy,
        "erased": lambda: ledger.state.get(MESSAGES, content(subject)).is_erased,
        "escrow": lambda: ledger.state.get(SPECS, content(subject)).stake,
        "parameter": lambda: getattr(ledger.state.params, subject),
        "treasury": lambda: treasury.balance,
        "prior_pool": lambda: treasury.prior_pool,
        "new_message_pool": lambda: treasury.new_message_pool,
        "paused": lambda: ledger.state.chain.is_paused,
    }
    return readers[word]() if word in readers else ledger.balance(word)


def _names(addresses: tuple[str, ...]) -> tuple[str, ...]:
    known = {key(name).address: name for name in (*NAMES, *COUNCIL)}
    return tuple(known[address] for address in addresses)
