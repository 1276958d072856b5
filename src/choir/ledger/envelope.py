"""From bytes to an authentic transaction: decoding, canonical form, chain, keys and signature.

Needs no state. What is refused here was never said by its sender, so it never consumes a nonce.
"""

from typing import Any, NamedTuple

import msgspec

from choir.ledger.errors import Code, Rejected, reject
from choir.ledger.transactions import (
    Transaction,
    canonical_bytes,
    signing_bytes,
    transaction_hash,
)
from choir.primitives.addresses import AddressError, SmallOrderKeyError, decode_address
from choir.primitives.canonical import CanonicalError, canonical_json, parse_strict
from choir.primitives.signatures import is_valid_signature

_decoder = msgspec.json.Decoder(Transaction)
_REASONS = {
    "json": Code.MalformedJson,
    "duplicate": Code.NotCanonical,
    "float": Code.FloatNotAllowed,
    "range": Code.NumberOutOfRange,
    "unicode": Code.InvalidUnicode,
}


class CheckedTransaction(NamedTuple):
    """A transaction of a block: its canonical bytes and hash, and either its content or why it is not authentic."""

    raw: bytes
    hash: str
    transaction: Transaction | None
    refusal: Rejected | None = None


def parse_transaction(raw: bytes) -> CheckedTransaction:
    """Read a transaction in any JSON spelling and bring it into canonical form. Rejects whatever cannot mean exactly
    one transaction: unknown fields, duplicate keys, floats, numbers out of range, invalid Unicode."""
    try:
        transaction = _decoder.decode(raw)
        canonical = canonical_bytes(transaction)
    except (msgspec.DecodeError, UnicodeDecodeError, CanonicalError, RecursionError) as error:
        raise explain_json(raw, error) from None
    if canonical != raw and canonical != _canonical_again(raw):
        reject(Code.NotCanonical, "A field is null or stands twice.")
    return CheckedTransaction(canonical, transaction_hash(canonical), transaction)


def check_transaction(raw: bytes, chain_id: str) -> CheckedTransaction:
    """Check a transaction of a block; never raises: the refusal is part of the block's result.

    Only its code is: the header commits to receipts, and a parser's words differ between releases.
    """
    try:
        checked = parse_transaction(raw)
        if checked.raw != raw:
            reject(Code.NotCanonical)
        verify_transaction(checked, chain_id)
    except Rejected as refusal:
        return CheckedTransaction(raw, transaction_hash(raw), None, Rejected(refusal.code, field=refusal.field))
    return checked


def verify_transaction(checked: CheckedTransaction, chain_id: str) -> None:
    """Rejects a transaction for another chain or one that its sender did not sign."""
    transaction = validate_origin(checked, chain_id)
    signature = transaction.signature or ""
    if not is_valid_signature(transaction.sender, signing_bytes(transaction), signature):
        reject(Code.BadSignature, field="signature")


def validate_origin(checked: CheckedTransaction, chain_id: str) -> Transaction:
    """Everything about a transaction's origin but its signature. Rejects with WrongChain or a bad address."""
    transaction = checked.transaction
    if transaction is None:
        raise checked.refusal or Rejected(Code.MalformedJson)
    if transaction.chain_id != chain_id:
        reject(Code.WrongChain, f"This is {chain_id}.", field="chain_id")
    try:
        decode_address(transaction.sender)
    except SmallOrderKeyError:
        reject(Code.SmallOrderKey, field="sender")
    except AddressError:
        reject(Code.InvalidAddress, field="sender")
    return transaction


def _canonical_again(raw: bytes) -> bytes:
    """The canonical form of what the bytes say, by the reference encoder."""
    try:
        return canonical_json(parse_strict(raw))
    except CanonicalError as error:
        reject(_REASONS[error.reason], str(error))


def explain_json(raw: bytes, error: Exception) -> Rejected:
    """Why a decoder refused ``raw``: the strict parser knows the reason, else it is a matter of fields."""
    try:
        value: Any = parse_strict(raw)
    except CanonicalError as strict:
        return Rejected(_REASONS[strict.reason], str(strict))
    if not isinstance(value, dict):
        return Rejected(Code.InvalidField, "Expected a JSON object.")
    text = str(error)
    path = text.rsplit("`$.", 1)[1].rstrip("`") if "`$." in text else None
    if "unknown field" in text:
        return Rejected(Code.UnknownField, text, field=path)
    if "Expected `int`" in text and ("<=" in text or ">=" in text):
        return Rejected(Code.NumberOutOfRange, text, field=path)
    return Rejected(Code.InvalidField, text, field=path)
