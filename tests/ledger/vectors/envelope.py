"""Cases: what is no authentic transaction, and what its envelope asks for. In the order in which it is checked."""

import json
from typing import Any

from choir.ledger.errors import Code
from choir.ledger.transactions import (
    AnyBody,
    Erase,
    SetPrivacy,
    SubscribePremium,
    Transfer,
    WithdrawSpec,
)
from choir.primitives.canonical import canonical_json
from tests.ledger.support import GENESIS_MS, Ledger, address, content, create, key, post, sign, spec, vote
from tests.ledger.vectors.case import B, Blocks, Case, last_hash, sign_json
from tests.ledger.vectors.tokens import NEUTRAL_KEY, PAUSED, divest

PAY = Transfer(to=address("bob"), amount="1")
PAID: Blocks = [[("alice", PAY)]]
UNTOUCHED = {"alice": B, "bob": B, "nonce alice": 0}


def text(raw: bytes | str) -> Any:
    """Bytes that do not depend on the ledger."""
    data = raw.encode() if isinstance(raw, str) else raw
    return lambda _ledger: data


def good(ledger: Ledger) -> dict[str, Any]:
    transaction: dict[str, Any] = json.loads(sign("alice", PAY, ledger.nonce("alice")))
    return transaction


def edited(old: str, new: bytes | str) -> Any:
    """The good transaction with a piece of its text replaced after signing."""
    replacement = new.encode() if isinstance(new, str) else new
    return lambda ledger: canonical_json(good(ledger)).replace(old.encode(), replacement)


def signed_with(**fields: Any) -> Any:
    """Signed by alice over other fields than a transaction has."""
    return lambda ledger: sign_json("alice", {**good(ledger), **fields})


def unsigned(ledger: Ledger) -> bytes:
    return canonical_json({name: value for name, value in good(ledger).items() if name != "signature"})


def signed_by(signer: str, sender: str, chain_id: str | None = None) -> Any:
    def make(ledger: Ledger) -> bytes:
        changed = {"sender": sender} if chain_id is None else {"sender": sender, "chain_id": chain_id}
        return sign_json(signer, {**good(ledger), **changed})

    return make


def refused(name: str, raw: Any, code: Code) -> Case:
    return Case(name, raw=raw, code=code, after=UNTOUCHED)


def paused(name: str, body: AnyBody) -> Case:
    return Case(f"{name} while paused", "alice", body, Code.Paused, {"nonce alice": 2, "alice": B}, PAUSED)


MALFORMED = [
    refused("no bytes", text(""), Code.MalformedJson),
    refused("no JSON", text("transfer 1 to bob"), Code.MalformedJson),
    refused("half an object", text('{"body":'), Code.MalformedJson),
    refused("nested too deeply", text("[" * 65 + "]" * 65), Code.MalformedJson),
    refused("a list", text("[]"), Code.InvalidField),
    refused("bytes that are not UTF-8", edited("choir-vectors", b"choir-\xff"), Code.InvalidUnicode),
    refused("a key that is not UTF-8", edited('"nonce"', b'"\x80once"'), Code.InvalidUnicode),
    refused("a lone surrogate", edited("choir-vectors", "\\ud800"), Code.InvalidUnicode),
    refused("a key with a lone surrogate", edited('"nonce"', '"\\ud800"'), Code.InvalidUnicode),
    refused("a float", edited('"nonce":0', '"nonce":0.5'), Code.FloatNotAllowed),
    refused("a whole number written as a float", edited('"nonce":0', '"nonce":0.0'), Code.FloatNotAllowed),
    refused("an exponent", edited('"nonce":0', '"nonce":1e3'), Code.FloatNotAllowed),
    refused("no number", edited('"nonce":0', '"nonce":NaN'), Code.FloatNotAllowed),
    refused("a nonce of 2^53", edited('"nonce":0', '"nonce":9007199254740992'), Code.NumberOutOfRange),
    refused("a negative nonce", signed_with(nonce=-1), Code.NumberOutOfRange),
    refused("an unknown field", signed_with(memo="hello"), Code.UnknownField),
    refused(
        "an unknown field of the body",
        signed_with(body={"amount": "1", "memo": "", "to": address("bob"), "type": "transfer"}),
        Code.UnknownField,
    ),
    refused("a missing field", signed_with(body={"to": address("bob"), "type": "transfer"}), Code.InvalidField),
    refused("an unknown type", signed_with(body={"type": "mint"}), Code.InvalidField),
    refused("no type", signed_with(body={"amount": "1", "to": address("bob")}), Code.InvalidField),
    refused("a field of another type", signed_with(chain_id=7), Code.InvalidField),
    refused("a field that is null", signed_with(expires_at=None), Code.NotCanonical),
    refused("a field that stands twice", edited('"nonce":0', '"nonce":0,"nonce":0'), Code.NotCanonical),
    refused("a space between tokens", edited('"nonce":0', '"nonce": 0'), Code.NotCanonical),
    refused(
        "fields out of order",
        lambda ledger: json.dumps(dict(reversed(good(ledger).items())), separators=(",", ":")).encode(),
        Code.NotCanonical,
    ),
    refused("a character escaped without need", edited("choir-vectors", "choir\\u002dvectors"), Code.NotCanonical),
]

NOT_AUTHENTIC = [
    refused("another chain, checked before the sender", signed_by("alice", "0" * 40, "choir-other"), Code.WrongChain),
    refused("sender is no base58", signed_by("alice", "0" * 40), Code.InvalidAddress),
    refused("sender is 33 bytes", signed_by("alice", "1" * 33), Code.InvalidAddress),
    refused("sender is a small-order key", signed_by("alice", NEUTRAL_KEY), Code.SmallOrderKey),
    refused("signed by another", signed_by("bob", address("alice")), Code.BadSignature),
    refused("no signature", unsigned, Code.BadSignature),
    refused("changed after signing", edited('"amount":"1"', '"amount":"2"'), Code.BadSignature),
    refused(
        "signature is no base58",
        lambda ledger: canonical_json({**good(ledger), "signature": "0" * 88}),
        Code.BadSignature,
    ),
    refused(
        "signature of zeros", lambda ledger: canonical_json({**good(ledger), "signature": "1" * 64}), Code.BadSignature
    ),
    refused(
        "signed without the prefix",
        lambda ledger: canonical_json({**good(ledger), "signature": key("alice").sign(unsigned(ledger))}),
        Code.BadSignature,
    ),
]

ADMITTED = [
    Case("accepted", "alice", PAY, after={"alice": B - 1, "bob": B + 1, "nonce alice": 1}),
    Case(
        "replayed",
        raw=lambda ledger: ledger.blocks[-1].raws[0],
        code=Code.NonceMismatch,
        after={"alice": B - 1, "nonce alice": 1},
        setup=PAID,
    ),
    Case("a gap in the nonces", "alice", PAY, Code.NonceMismatch, UNTOUCHED, envelope=lambda _: {"nonce": 1}),
    Case(
        "nonce, checked before the expiry",
        "alice",
        PAY,
        Code.NonceMismatch,
        UNTOUCHED,
        envelope=lambda _: {"nonce": 1, "expires_at": 1},
    ),
    Case(
        "at expires_at, checked before the dependency",
        "alice",
        PAY,
        Code.TransactionExpired,
        {"alice": B, "nonce alice": 1},
        envelope=lambda _: {"expires_at": GENESIS_MS + 1000, "depends_on": "0" * 64},
    ),
    Case(
        "a millisecond before expires_at",
        "alice",
        PAY,
        after={"alice": B - 1},
        envelope=lambda _: {"expires_at": GENESIS_MS + 1001},
    ),
    Case(
        "dependency was never committed, checked before the pause",
        "alice",
        PAY,
        Code.DependencyUnknown,
        {"alice": B, "nonce alice": 2},
        PAUSED,
        envelope=lambda _: {"depends_on": "0" * 64},
    ),
    Case(
        "dependency is committed",
        "bob",
        PAY,
        after={"bob": B + 1, "nonce bob": 1},
        setup=PAID,
        envelope=lambda ledger: {"depends_on": last_hash(ledger)},
    ),
    Case(
        "dependency a millisecond within the hour",
        "bob",
        PAY,
        None,
        {"nonce bob": 1},
        PAID,
        3_599_999,
        lambda ledger: {"depends_on": last_hash(ledger)},
    ),
    Case(
        "dependency an hour ago",
        "bob",
        PAY,
        Code.DependencyUnknown,
        {"nonce bob": 1},
        PAID,
        3_600_000,
        lambda ledger: {"depends_on": last_hash(ledger)},
    ),
]

ENVELOPE = [
    *MALFORMED,
    *NOT_AUTHENTIC,
    *ADMITTED,
    paused("create_thread", create("T")),
    paused("post_message", post("X", "M")),
    paused("submit_spec", spec("X", "M")),
    paused("process_approval", vote("X")),
    paused("withdraw_spec", WithdrawSpec(spec_id=content("X"))),
    paused("divest", divest(1)),
    paused("transfer", PAY),
    paused("set_privacy", SetPrivacy(message_hash=content("X"), level="thread")),
    paused("erase", Erase(message_hash=content("X"))),
    paused("subscribe_premium", SubscribePremium(periods=1)),
]
