"""Inclusion proofs that hold, and the same ones after a change, with the step at which they fail."""

import json
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from choir.ledger.proofs import Proof, ProofError, verify_proof
from tests.ledger.support import VALIDATOR, address
from tests.ledger.test_proofs import CONTENT, TRUSTED, make_proofs

OTHER_HASH = "ab" * 32


def _set(*path: str, value: Any) -> Callable[[dict[str, Any]], None]:
    def change(proof: dict[str, Any]) -> None:
        for name in path[:-1]:
            proof = proof[name]
        proof[path[-1]] = value

    return change


# The change, and what the verifier says of it.
CHANGES: list[tuple[str, Callable[[dict[str, Any]], None], str]] = [
    ("another text", _set("content", "text", value="Goodbye"), "content"),
    ("another author", _set("content", "author", value=address("bob")), "content"),
    ("another transaction", _set("transaction", "nonce", value=7), "transaction"),
    ("a refused transaction", _set("receipt", "code", value=200), "receipt"),
    ("a receipt of another block", _set("receipt", "height", value=9), "receipt"),
    ("another place in the block", _set("receipt", "index", value=2), "transaction_path"),
    ("a path too short", _set("transaction_path", value=[]), "transaction_path"),
    ("a path that leads elsewhere", _set("receipt_path", value=[OTHER_HASH] * 3), "receipt_path"),
    ("another detail in the receipt", _set("receipt", "detail", value="x"), "receipt_path"),
    ("a header of another chain", _set("signed_header", "header", "chain_id", value="other"), "header"),
    ("a header signed by a stranger", _set("signed_header", "header", "proposer", value=address("bob")), "header"),
    ("another time in the header", _set("signed_header", "header", "time_ms", value=1), "header"),
]


def proof_cases() -> list[dict[str, Any]]:
    validators = [address(VALIDATOR)]
    proofs = [(f"transaction {index} of {count}", make_proofs(count)[index]) for count, index in ((1, 0), (5, 3))]
    with_content = msgspec.structs.replace(make_proofs(5)[1], content=CONTENT)
    cases = []
    for name, proof in [*proofs, ("with its content", with_content)]:
        verify_proof(proof, TRUSTED)
        cases.append({"name": name, "proof": msgspec.to_builtins(proof), "validators": validators, "expected": None})
    for name, change, step in CHANGES:
        changed = json.loads(msgspec.json.encode(with_content))
        change(changed)
        with pytest.raises(ProofError):
            verify_proof(msgspec.convert(changed, Proof), TRUSTED)
        cases.append({"name": name, "proof": changed, "validators": validators, "expected": {"fails": step}})
    return cases
