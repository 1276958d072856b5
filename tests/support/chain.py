"""A chain for tests: keys from seeds, a genesis that funds them, and signed transactions."""

import hashlib

import msgspec

from choir.ledger.envelope import CheckedTransaction, parse_transaction
from choir.ledger.genesis import DEVELOPMENT_PARAMS, Genesis
from choir.ledger.params import Params
from choir.ledger.transactions import AnyBody, Transaction, canonical_bytes, signing_bytes
from choir.primitives.amounts import UCHOIR_PER_CHOIR
from choir.primitives.signatures import SigningKey

GENESIS_TIME_MS = 1_700_000_000_000
CHAIN_ID = "choir-test"


def key(name: str) -> SigningKey:
    """The key that belongs to a name, the same in every run."""
    return SigningKey(hashlib.sha256(f"choir-test-key:{name}".encode()).digest())


def digest(name: str) -> str:
    """64 hex digits that belong to a name."""
    return hashlib.sha256(name.encode()).hexdigest()


NODE = key("node")


def make_genesis(names: list[str], *, params: Params = DEVELOPMENT_PARAMS, choir_each: int = 100_000) -> Genesis:
    """A genesis that gives every name ``choir_each`` CHOIR; the node is validator and council."""
    return Genesis(
        chain_id=CHAIN_ID,
        time_ms=GENESIS_TIME_MS,
        validators=(NODE.address,),
        allocations={key(name).address: str(choir_each * UCHOIR_PER_CHOIR) for name in names},
        council_members=(NODE.address,),
        params=params,
    )


def sign(signer: SigningKey, body: AnyBody, nonce: int, chain_id: str = CHAIN_ID) -> CheckedTransaction:
    """A signed transaction, parsed."""
    unsigned = Transaction(body=body, chain_id=chain_id, nonce=nonce, sender=signer.address)
    signed = msgspec.structs.replace(unsigned, signature=signer.sign(signing_bytes(unsigned)))
    return parse_transaction(canonical_bytes(signed))
