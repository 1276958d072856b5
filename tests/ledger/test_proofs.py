"""Inclusion proofs: each verifies offline, and none survives a change."""

import json
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from choir.ledger.blocks import (
    NO_BLOCK_HASH,
    Header,
    SignedHeader,
    compute_data_hash,
    compute_results_hash,
    header_bytes,
)
from choir.ledger.proofs import Content, Proof, ProofError, content_hash_of, make_proof, verify_proof
from choir.ledger.transactions import PostMessage, Transaction, Transfer, transaction_hash
from choir.primitives.merkle import merkle_proof
from tests.ledger.support import CHAIN_ID, VALIDATOR, Ledger, address, create, key, sign, thread_id

TRUSTED = {address(VALIDATOR)}
CONTENT = Content(author=address("alice"), salt="5a" * 16, text="Hello\u2028 “world”", thread_id=thread_id("T"))


def make_proofs(count: int) -> list[Proof]:
    """The proofs of a block with ``count`` transactions; the second adds CONTENT."""
    ledger = Ledger()
    post = PostMessage(thread_id=thread_id("T"), content_hash=content_hash_of(CONTENT), priors=())
    raws = [sign("alice", create("T"), 0), sign("alice", post, 1)][:count]
    raws += [sign("bob", Transfer(to=address("carol"), amount=str(n + 1)), n) for n in range(count - 2)]
    result = ledger.apply(raws)
    hashes = [transaction_hash(raw) for raw in raws]
    header = Header(
        app_hash=ledger.state.app_hash,
        chain_id=CHAIN_ID,
        data_hash=compute_data_hash(hashes),
        height=ledger.state.chain.height,
        previous_hash=NO_BLOCK_HASH,
        proposer=address(VALIDATOR),
        results_hash=compute_results_hash(result.receipts),
        time_ms=ledger.now_ms,
    )
    signed = SignedHeader(header=header, signature=key(VALIDATOR).sign(header_bytes(header)))
    return [
        make_proof(msgspec.json.decode(raw, type=Transaction), index, hashes, result.receipts, signed)
        for index, raw in enumerate(raws)
    ]


PROOF = msgspec.structs.replace(make_proofs(5)[1], content=CONTENT)


@pytest.mark.parametrize("count", [1, 2, 3, 5, 8])
def test_every_proof_verifies(count: int) -> None:
    for proof in make_proofs(count):
        verify_proof(proof, TRUSTED)


def test_with_its_content() -> None:
    verify_proof(PROOF, TRUSTED)
    verify_proof(msgspec.json.decode(msgspec.json.encode(PROOF), type=Proof), TRUSTED)


def leaves_of(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The path of every scalar in a document."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from leaves_of(inner, (*path, name))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from leaves_of(inner, (*path, index))
    else:
        yield path


DOCUMENT = json.loads(msgspec.json.encode(PROOF))
SCALARS = [path for path in leaves_of(DOCUMENT) if path != ("transaction", "body", "type")]


def mutations(value: Any) -> list[Any]:
    if isinstance(value, int):
        return [value + 1, max(0, value - 1) if value else value + 2]
    if not value:
        return ["x"]
    flipped = "1" if value[0] != "1" else "2"
    last = "2" if value[-1] != "2" else "3"
    return [flipped + value[1:], value[:-1] + last, value[:-1], value + " ", value[::-1]]


@pytest.mark.parametrize("path", SCALARS, ids=lambda path: ".".join(map(str, path)))
def test_every_mutated_field_fails(path: tuple[Any, ...]) -> None:
    for replacement in mutations(_at(DOCUMENT, path)):
        if replacement == _at(DOCUMENT, path) or _means_the_same(path, replacement):
            continue
        changed = json.loads(json.dumps(DOCUMENT))
        _at(changed, path[:-1])[path[-1]] = replacement
        with pytest.raises((ProofError, msgspec.ValidationError)):
            verify_proof(msgspec.json.decode(json.dumps(changed).encode(), type=Proof), TRUSTED)


def _at(document: Any, path: tuple[Any, ...]) -> Any:
    for step in path:
        document = document[step]
    return document


def _means_the_same(path: tuple[Any, ...], replacement: Any) -> bool:
    """RFC 6962 commits to a tree's shape only along the path: another ``total`` of the same turns proves the same."""
    if path != ("total",):
        return False
    turns = [len(merkle_proof([b""] * total, PROOF.receipt.index)) for total in (PROOF.total, replacement)]
    return turns[0] == turns[1]


@pytest.mark.parametrize("field", ["transaction_path", "receipt_path"])
def test_path_of_another_length_fails(field: str) -> None:
    path = getattr(PROOF, field)
    for wrong in (path[:-1], (*path, path[0]), (), path[::-1], ("zz" * 32, *path[1:]), (path[0][:-2], *path[1:])):
        with pytest.raises(ProofError, match="Merkle path"):
            verify_proof(msgspec.structs.replace(PROOF, **{field: wrong}), TRUSTED)


def test_proof_of_another_transaction_fails() -> None:
    proofs = make_proofs(5)
    for other in proofs:
        if other.receipt.index != PROOF.receipt.index:
            with pytest.raises(ProofError):
                verify_proof(msgspec.structs.replace(PROOF, transaction=other.transaction), TRUSTED)
            with pytest.raises(ProofError):
                verify_proof(msgspec.structs.replace(PROOF, receipt=other.receipt), TRUSTED)


def test_untrusted_proposer_fails() -> None:
    with pytest.raises(ProofError, match="trusted validator"):
        verify_proof(PROOF, set())
    with pytest.raises(ProofError, match="trusted validator"):
        verify_proof(PROOF, {address("alice")})


def test_header_signed_by_another_trusted_key_fails() -> None:
    forged = key("alice").sign(header_bytes(PROOF.signed_header.header))
    signed = msgspec.structs.replace(PROOF.signed_header, signature=forged)
    with pytest.raises(ProofError, match="signature"):
        verify_proof(msgspec.structs.replace(PROOF, signed_header=signed), {*TRUSTED, address("alice")})


def test_refused_transaction_proves_nothing() -> None:
    ledger = Ledger()
    raw = sign("alice", Transfer(to=address("bob"), amount="0"), 0)
    result = ledger.apply([raw])
    header = msgspec.structs.replace(
        PROOF.signed_header.header,
        data_hash=compute_data_hash([transaction_hash(raw)]),
        results_hash=compute_results_hash(result.receipts),
    )
    signed = SignedHeader(header=header, signature=key(VALIDATOR).sign(header_bytes(header)))
    transaction = msgspec.json.decode(raw, type=Transaction)
    with pytest.raises(ProofError, match="AmountNotPositive"):
        verify_proof(make_proof(transaction, 0, [transaction_hash(raw)], result.receipts, signed), TRUSTED)


@pytest.mark.parametrize(("fields", "reason"), [({"height": 2}, "another block"), ({"chain_id": "x"}, "another chain")])
def test_header_that_does_not_fit_fails_even_when_signed(fields: dict[str, Any], reason: str) -> None:
    header = msgspec.structs.replace(PROOF.signed_header.header, **fields)
    signed = SignedHeader(header=header, signature=key(VALIDATOR).sign(header_bytes(header)))
    with pytest.raises(ProofError, match=reason):
        verify_proof(msgspec.structs.replace(PROOF, signed_header=signed), TRUSTED)


@pytest.mark.parametrize("fields", [{"author": address("bob")}, {"thread_id": thread_id("U")}])
def test_content_of_another_author_or_thread_fails_even_when_its_hash_fits(fields: dict[str, str]) -> None:
    """Who registers the hash of another's content does not become its author."""
    foreign = msgspec.structs.replace(CONTENT, **fields)
    ledger = Ledger()
    body = PostMessage(thread_id=thread_id("T"), content_hash=content_hash_of(foreign), priors=())
    raws = [sign("alice", create("T"), 0), sign("alice", body, 1)]
    hashes = [transaction_hash(raw) for raw in raws]
    result = ledger.apply(raws)
    header = msgspec.structs.replace(
        PROOF.signed_header.header,
        data_hash=compute_data_hash(hashes),
        results_hash=compute_results_hash(result.receipts),
    )
    signed = SignedHeader(header=header, signature=key(VALIDATOR).sign(header_bytes(header)))
    transaction = msgspec.json.decode(raws[1], type=Transaction)
    proof = make_proof(transaction, 1, hashes, result.receipts, signed)
    verify_proof(proof, TRUSTED)
    with pytest.raises(ProofError, match="another author or thread"):
        verify_proof(msgspec.structs.replace(proof, content=foreign), TRUSTED)


def test_content_of_a_transaction_that_adds_none_fails() -> None:
    transfer = msgspec.structs.replace(make_proofs(5)[2], content=CONTENT)
    with pytest.raises(ProofError, match="adds no message"):
        verify_proof(transfer, TRUSTED)


def test_index_out_of_the_block() -> None:
    with pytest.raises(IndexError):
        make_proof(PROOF.transaction, 5, ["00" * 32] * 5, [PROOF.receipt] * 6, PROOF.signed_header)
