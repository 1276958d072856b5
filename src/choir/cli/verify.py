"""`choir verify`: an inclusion proof, checked offline against validators that the user trusts."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from choir.cli.context import InContext
from choir.cli.errors import ProofInvalid, UsageError

if TYPE_CHECKING:
    from choir.ledger.proofs import Proof

LARGEST_FILE_BYTES = 16 * 1024 * 1024


def verify(
    file: Path,
    /,
    *,
    genesis: Annotated[Path | None, Parameter(help="Trust this chain's validators (`choir genesis -o FILE`).")] = None,
    validator: Annotated[
        tuple[str, ...] | None, Parameter(help="Trust this validator's address. May be repeated.", negative=())
    ] = None,
    trust_signer: Annotated[
        bool, Parameter(negative=(), help="Trust whoever signed: proves that the proof is whole, not whose it is.")
    ] = False,
    context: InContext,
) -> None:
    """Check an inclusion proof offline: exit code 0 when it holds, 5 when it does not.

    Somebody must be trusted to have signed the block: give --genesis, or --validator, or --trust-signer.

    Parameters
    ----------
    file
        The proof, as `choir message proof -o FILE` wrote it.
    """
    from choir.ledger.proofs import ProofError, verify_proof

    proof = _read_proof(file)
    signer = proof.signed_header.header.proposer
    trusted = {*_genesis_validators(genesis, proof), *(validator or ())}
    try:
        verify_proof(proof, trusted or {signer})
    except ProofError as error:
        raise ProofInvalid(f"the proof in {file} does not hold: {error}") from error
    if not trusted and not trust_signer:
        raise ProofInvalid(
            f"the proof in {file} is whole and signed by {signer}, but nothing says that this is a validator: "
            "give --genesis FILE (`choir genesis -o FILE`), --validator ADDRESS or --trust-signer"
        )
    context.output.show(_document(proof, is_signer_checked=bool(trusted)), *_describe(proof, bool(trusted)))


def _read_proof(file: Path) -> "Proof":
    """The proof in a file: as the command line saves it, or the node's whole answer."""
    import msgspec

    from choir.ledger.proofs import Proof

    raw = _read(file)
    try:
        value = msgspec.json.decode(raw)
        if isinstance(value, dict) and set(value) == {"data", "error", "metadata"}:
            value = value["data"]
        return msgspec.convert(value, Proof)
    except (msgspec.DecodeError, RecursionError) as error:
        raise ProofInvalid(
            f"{file} is not a proof ({error}): fetch one with `choir message proof HASH -o FILE`"
        ) from error


def _genesis_validators(file: Path | None, proof: "Proof") -> tuple[str, ...]:
    from choir.ledger.genesis import GenesisError, decode_genesis

    if file is None:
        return ()
    try:
        genesis = decode_genesis(_read(file))
    except GenesisError as error:
        raise UsageError(f"{file} is not a genesis ({error}): save one with `choir genesis -o FILE`") from error
    chain_id = proof.signed_header.header.chain_id
    if genesis.chain_id != chain_id:
        raise ProofInvalid(f"the proof is of chain {chain_id}, the genesis of {genesis.chain_id}")
    return genesis.validators


def _read(file: Path) -> bytes:
    try:
        with file.open("rb") as opened:
            raw = opened.read(LARGEST_FILE_BYTES + 1)
    except OSError as error:
        raise UsageError(f"cannot read {file}: {error.strerror}") from error
    if len(raw) > LARGEST_FILE_BYTES:
        raise UsageError(f"{file} is larger than {LARGEST_FILE_BYTES // 2**20} MiB: it is no proof")
    return raw


def _document(proof: "Proof", *, is_signer_checked: bool) -> dict[str, object]:
    header = proof.signed_header.header
    return {
        "is_valid": True,
        "is_signer_checked": is_signer_checked,
        "signer": header.proposer,
        "chain_id": header.chain_id,
        "height": header.height,
        "time_ms": header.time_ms,
        "tx_hash": proof.receipt.tx_hash,
        "type": type(proof.transaction.body).__struct_config__.tag,
        "sender": proof.transaction.sender,
        "content": proof.content,
    }


def _describe(proof: "Proof", is_signer_checked: bool) -> list[str]:
    from choir.cli.output import moment

    header = proof.signed_header.header
    trust = "a trusted validator" if is_signer_checked else "a key that was NOT checked against a genesis"
    lines = [
        f"valid: transaction {proof.receipt.tx_hash} took effect",
        f"in block {header.height} of {header.chain_id}, {moment(header.time_ms)}",
        f"signed by {header.proposer}, {trust}",
        f"sent by {proof.transaction.sender}",
    ]
    if proof.content is not None:
        lines += ["", proof.content.text]
    return lines
