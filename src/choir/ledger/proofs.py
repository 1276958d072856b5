"""Inclusion proofs: record → transaction → Merkle path → header → the proposer's signature, checked offline."""

from collections.abc import Collection, Sequence

import msgspec
from msgspec import Struct

from choir.ledger.blocks import Header, Receipt, SignedHeader, header_bytes
from choir.ledger.errors import OK_CODE
from choir.ledger.transactions import (
    Hash,
    PostMessage,
    SubmitSpec,
    Transaction,
    canonical_bytes,
    transaction_hash,
)
from choir.primitives.canonical import canonical_json, canonical_struct
from choir.primitives.hashing import sha256_hex
from choir.primitives.merkle import merkle_proof, root_from_proof
from choir.primitives.signatures import is_valid_signature


class ProofError(ValueError):
    """The proof does not hold; the message says at which step."""


class Content(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a content hash is the hash of."""

    author: str
    salt: str
    text: str
    thread_id: str


class Proof(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """Everything needed to check, offline, that a transaction was committed and took effect.

    Paths run from the leaf up; both trees have ``total`` leaves and share ``receipt.index``. ``content`` comes with it
    where the asker may read it.
    """

    transaction: Transaction
    receipt: Receipt
    total: int
    transaction_path: tuple[Hash, ...]
    receipt_path: tuple[Hash, ...]
    signed_header: SignedHeader
    content: Content | None = None


def content_hash_of(content: Content) -> str:
    """SHA-256 of the RFC 8785 form (design: ledger, "Wire form")."""
    return sha256_hex(canonical_struct(content))


def make_proof(
    transaction: Transaction,
    index: int,
    tx_hashes: Sequence[str],
    receipts: Sequence[Receipt],
    signed_header: SignedHeader,
) -> Proof:
    """The proof for transaction ``index`` of a block."""
    transaction_leaves = [bytes.fromhex(tx_hash) for tx_hash in tx_hashes]
    receipt_leaves = [canonical_struct(receipt) for receipt in receipts]
    return Proof(
        transaction=transaction,
        receipt=receipts[index],
        total=len(tx_hashes),
        transaction_path=tuple(node.hex() for node in merkle_proof(transaction_leaves, index)),
        receipt_path=tuple(node.hex() for node in merkle_proof(receipt_leaves, index)),
        signed_header=signed_header,
    )


def verify_proof(proof: Proof, validators: Collection[str]) -> None:
    """Check every step. ``validators`` are the addresses trusted to sign headers. Raises ``ProofError``."""
    header = proof.signed_header.header
    tx_hash = transaction_hash(canonical_bytes(proof.transaction))
    if tx_hash != proof.receipt.tx_hash:
        raise ProofError("the receipt is for another transaction")
    if proof.receipt.code != OK_CODE:
        raise ProofError(f"the transaction was refused: {proof.receipt.name}")
    if proof.receipt.height != header.height:
        raise ProofError("the receipt is for another block")
    _check_path(proof, bytes.fromhex(tx_hash), proof.transaction_path, header.data_hash, "transaction")
    _check_path(proof, canonical_struct(proof.receipt), proof.receipt_path, header.results_hash, "receipt")
    _check_header(header, proof, validators)
    if proof.content is not None:
        _check_content(proof.content, proof.transaction)


def _check_path(proof: Proof, leaf: bytes, path: tuple[str, ...], root: str, what: str) -> None:
    try:
        siblings = [bytes.fromhex(node) for node in path]
        found = root_from_proof(leaf, proof.receipt.index, proof.total, siblings).hex()
    except ValueError as error:
        raise ProofError(f"the {what}'s Merkle path is malformed: {error}") from error
    if found != root:
        raise ProofError(f"the {what}'s Merkle path does not lead to the header")


def _check_header(header: Header, proof: Proof, validators: Collection[str]) -> None:
    if header.chain_id != proof.transaction.chain_id:
        raise ProofError("the header is of another chain")
    if header.proposer not in validators:
        raise ProofError(f"the header is signed by {header.proposer}, which is not a trusted validator")
    if not is_valid_signature(header.proposer, header_bytes(header), proof.signed_header.signature):
        raise ProofError("the header's signature is not the proposer's")


def _check_content(content: Content, transaction: Transaction) -> None:
    body = transaction.body
    if not isinstance(body, PostMessage | SubmitSpec):
        raise ProofError("the transaction adds no message, so it proves no content")
    if content.author != transaction.sender or content.thread_id != body.thread_id:
        raise ProofError("the content is of another author or thread than the transaction")
    if sha256_hex(canonical_json(msgspec.to_builtins(content))) != body.content_hash:
        raise ProofError("the content does not hash to the transaction's content_hash")
