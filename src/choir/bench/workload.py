"""The workload of the ledger's figures: accounts that open threads, write, cite, submit specs, vote and pay.

Everything follows from numbers, so every run does the same.
"""

from collections.abc import Iterator
from hashlib import sha256

import msgspec

from choir.ledger.envelope import CheckedTransaction, parse_transaction
from choir.ledger.genesis import DEVELOPMENT_PARAMS, Genesis
from choir.ledger.transactions import (
    AnyBody,
    CreateThread,
    PostMessage,
    ProcessApproval,
    SubmitSpec,
    Transaction,
    Transfer,
    canonical_bytes,
    signing_bytes,
)
from choir.primitives.amounts import UCHOIR_PER_CHOIR
from choir.primitives.signatures import SigningKey

CHAIN_ID = "choir-bench"


class Workload:
    """``accounts`` wallets and the transactions they sign, in an order in which each takes effect."""

    def __init__(self, accounts: int = 500, time_ms: int = 1) -> None:
        self.keys = [SigningKey(_digest("key", number)) for number in range(accounts)]
        self.nonces = [0] * accounts
        self.genesis = Genesis(
            chain_id=CHAIN_ID,
            time_ms=time_ms,
            validators=(self.keys[0].address,),
            allocations={key.address: str(1_000_000 * UCHOIR_PER_CHOIR) for key in self.keys},
            params=DEVELOPMENT_PARAMS,
        )

    def sign(self, number: int, body: AnyBody) -> CheckedTransaction:
        """The next transaction of account ``number``."""
        key = self.keys[number]
        unsigned = Transaction(body=body, chain_id=CHAIN_ID, nonce=self.nonces[number], sender=key.address)
        self.nonces[number] += 1
        signed = msgspec.structs.replace(unsigned, signature=key.sign(signing_bytes(unsigned)))
        return parse_transaction(canonical_bytes(signed))

    def transactions(self) -> Iterator[CheckedTransaction]:
        """Without end: threads first, then rounds of messages that cite, transfers, and at times specs with votes."""
        count = len(self.keys)
        for number in range(count):
            yield self.sign(number, CreateThread(thread_id=_hex("thread", number)[:32], privacy="public"))
        turn = 0
        while True:
            yield from self._messages(turn)
            for number in range(count):
                yield self.sign(number, Transfer(to=self.keys[(number + turn + 1) % count].address, amount="1000"))
            if turn % 8 == 0:
                yield from self._specs(turn)
            turn += 1

    def _messages(self, turn: int) -> Iterator[CheckedTransaction]:
        count = len(self.keys)
        for number in range(count):
            priors = (_hex("message", (number * 7) % count, turn - 1),) if turn else ()
            body = PostMessage(
                thread_id=_hex("thread", number)[:32], content_hash=_hex("message", number, turn), priors=priors
            )
            yield self.sign(number, body)

    def _specs(self, turn: int) -> Iterator[CheckedTransaction]:
        """Everybody submits to a thread they do not belong to, and its first author approves."""
        count = len(self.keys)
        distance = turn // 8 + 1
        for number in range(count):
            thread_id = _hex("thread", (number + distance) % count)[:32]
            spec = SubmitSpec(
                thread_id=thread_id, content_hash=_hex("spec", number, turn), stake="100000000", priors=()
            )
            yield self.sign(number, spec)
            vote = ProcessApproval(spec_id=_hex("spec", number, turn), approve=True)
            yield self.sign((number + distance) % count, vote)


def _digest(*parts: object) -> bytes:
    return sha256(":".join(str(part) for part in parts).encode()).digest()


def _hex(*parts: object) -> str:
    return _digest(*parts).hex()
