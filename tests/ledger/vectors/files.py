"""The vector files as they follow from the declared cases. Read by every language: see vectors/README.md."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec

from choir.ledger.state import State
from choir.primitives.canonical import CanonicalError, canonical_json, parse_strict
from tests.coherence.cases import cases as coherence_cases
from tests.ledger.support import COUNCIL, NAMES, VALIDATOR, key
from tests.ledger.vectors import envelope, plain, proofs, rewards, specs, threads, tokens
from tests.ledger.vectors.case import BASE, Case, observe

DIRECTORY: Final = Path(__file__).resolve().parents[3] / "vectors"

STATEFUL: Final[dict[str, Sequence[Case]]] = {
    "create_thread": threads.CREATE_THREAD,
    "post_message": threads.POST_MESSAGE,
    "set_privacy": threads.SET_PRIVACY,
    "erase": threads.ERASE,
    "submit_spec": specs.SUBMIT_SPEC,
    "process_approval": specs.PROCESS_APPROVAL,
    "withdraw_spec": specs.WITHDRAW_SPEC,
    "settlement": specs.SETTLEMENT,
    "transfer": tokens.TRANSFER,
    "divest": tokens.DIVEST,
    "subscribe_premium": tokens.SUBSCRIBE_PREMIUM,
    "propose": tokens.PROPOSE,
    "endorse": tokens.ENDORSE,
    "envelope": envelope.ENVELOPE,
    "rewards": rewards.REWARDS,
}
PLAIN: Final[dict[str, Callable[[], list[dict[str, Any]]]]] = {
    "canonical": plain.canonical_cases,
    "merkle": plain.merkle_cases,
    "content_hash": plain.content_hash_cases,
    "proofs": proofs.proof_cases,
    "coherence": coherence_cases,
}


def render(stem: str) -> str:
    """The text of one vector file."""
    if stem == "keys":
        document: dict[str, Any] = {"keys": keys()}
    elif stem in PLAIN:
        document = {"cases": PLAIN[stem]()}
    else:
        document = {"genesis": msgspec.to_builtins(BASE), "cases": [run(case) for case in STATEFUL[stem]]}
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


def keys() -> dict[str, dict[str, str]]:
    names = (*NAMES, *COUNCIL, VALIDATOR)
    return {name: {"address": key(name).address, "seed_hex": key(name).seed.hex()} for name in names}


def run(case: Case) -> dict[str, Any]:
    """Run a case, hold the result against what was written by hand, and describe it for other languages."""
    ledger = case.prepare()
    setup = [
        {"time_ms": block.time_ms, "transactions": [json.loads(raw) for raw in block.raws]} for block in ledger.blocks
    ]
    before = dict(ledger.state.items())
    raw = case.transaction(ledger)
    time_ms = ledger.now_ms + case.after_ms
    result = ledger.apply([] if raw is None else [raw], at_ms=time_ms)
    expected: dict[str, Any] = {}
    for receipt in result.receipts:
        name = "Ok" if case.code is None else case.code.name
        assert receipt.name == name, f"{case.name}: {receipt.name} {receipt.detail}, expected {name}"
        expected = {"code": receipt.code, "name": receipt.name}
    for what, value in case.after.items():
        found = observe(ledger, what)
        assert found == value, f"{case.name}: {what} is {found}, expected {value}"
    expected["changed"] = changes_between(before, ledger.state)
    expected["events"] = [msgspec.to_builtins(event) for event in result.events]
    expected["app_hash"] = ledger.state.app_hash
    own_genesis = {} if case.genesis == BASE else {"genesis": msgspec.to_builtins(case.genesis)}
    block = {"time_ms": time_ms, **_spelled(raw)}
    return {"name": case.name, **own_genesis, "setup": setup, "block": block, "expected": expected}


def changes_between(before: dict[str, bytes], state: State) -> dict[str, Any]:
    """Every entry that is new or different, and None for those that are gone; in key order."""
    after = dict(state.items())
    keys_changed = sorted(key for key in before.keys() | after.keys() if before.get(key) != after.get(key))
    return {key: json.loads(after[key]) if key in after else None for key in keys_changed}


def _spelled(raw: bytes | None) -> dict[str, Any]:
    """A canonical transaction as an object, other text as ``raw``, other bytes as ``raw_hex``."""
    if raw is None:
        return {}
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        return {"raw_hex": raw.hex()}
    try:
        value = parse_strict(raw)
    except CanonicalError:
        return {"raw": text}
    is_canonical = isinstance(value, dict) and canonical_json(value) == raw
    return {"transaction": value} if is_canonical else {"raw": text}
