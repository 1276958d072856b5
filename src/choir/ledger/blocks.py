"""Headers, receipts and their hashes (design: ledger, "Blocks, proofs, snapshots")."""

from collections.abc import Sequence
from typing import Final

from msgspec import Struct

from choir.ledger.transactions import Signature
from choir.primitives.canonical import canonical_struct
from choir.primitives.hashing import sha256_hex
from choir.primitives.merkle import merkle_root

HEADER_PREFIX: Final = b"choir-header-v1:"
NO_BLOCK_HASH: Final = "0" * 64


class Receipt(Struct, frozen=True, gc=False, kw_only=True, forbid_unknown_fields=True):
    """What became of a transaction. ``code`` is 0 when it took effect, else the number of an error."""

    code: int
    detail: str
    height: int
    index: int
    name: str
    time_ms: int
    tx_hash: str


class Header(Struct, frozen=True, gc=False, kw_only=True, forbid_unknown_fields=True):
    """A block's header. ``app_hash`` commits to the state after the block, ``results_hash`` to its receipts."""

    app_hash: str
    chain_id: str
    data_hash: str
    height: int
    previous_hash: str
    proposer: str
    results_hash: str
    time_ms: int


class SignedHeader(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    header: Header
    signature: Signature


def header_bytes(header: Header) -> bytes:
    """What the proposer signs."""
    return HEADER_PREFIX + canonical_struct(header)


def header_hash(header: Header) -> str:
    return sha256_hex(canonical_struct(header))


def compute_data_hash(tx_hashes: Sequence[str]) -> str:
    """Merkle root over the transactions' hashes, in block order: CometBFT's ``Data.Hash``."""
    return merkle_root([bytes.fromhex(tx_hash) for tx_hash in tx_hashes]).hex()


def compute_results_hash(receipts: Sequence[Receipt]) -> str:
    """Merkle root over the receipts' canonical forms, in block order."""
    return merkle_root([canonical_struct(receipt) for receipt in receipts]).hex()
