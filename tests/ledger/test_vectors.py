"""The vector files: they agree with the declared cases, they are complete, and they can be read without our types.

``UPDATE_VECTORS=1 pytest tests/ledger/test_vectors.py`` writes them again; the difference is reviewed as data.
"""

import json
import os
from typing import Any, get_args

import msgspec
import pytest

from choir.ledger.envelope import check_transaction
from choir.ledger.errors import Code
from choir.ledger.genesis import decode_genesis, make_state
from choir.ledger.state import State
from choir.ledger.transactions import AnyBody
from choir.ledger.transition import Block, BlockResult, apply_block
from choir.primitives.canonical import canonical_json
from choir.primitives.signatures import SigningKey
from tests.ledger.vectors.files import DIRECTORY, PLAIN, STATEFUL, render

STEMS = ["keys", *STATEFUL, *PLAIN]


def load(stem: str) -> Any:
    return json.loads((DIRECTORY / f"{stem}.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("stem", STEMS)
def test_file_agrees_with_the_cases(stem: str) -> None:
    text = render(stem)
    path = DIRECTORY / f"{stem}.json"
    if os.environ.get("UPDATE_VECTORS") == "1":
        path.write_text(text, encoding="utf-8")
    found = path.read_text(encoding="utf-8") if path.exists() else ""
    assert found == text, f"vectors/{stem}.json is not what the cases give: run with UPDATE_VECTORS=1 and review"


def test_no_file_is_left_over() -> None:
    assert sorted(path.stem for path in DIRECTORY.glob("*.json")) == sorted(STEMS)


@pytest.mark.parametrize("stem", STATEFUL)
def test_names_are_unique(stem: str) -> None:
    names = [case["name"] for case in load(stem)["cases"]]
    assert len(set(names)) == len(names)


def test_every_error_of_the_ledger_has_a_case() -> None:
    codes = {case["expected"].get("code") for stem in STATEFUL for case in load(stem)["cases"]}
    missing = [code.name for code in Code if code.number < 300 and code.number not in codes]
    assert missing == []


def test_every_type_has_a_case_that_takes_effect_and_one_that_is_refused() -> None:
    seen: dict[str, set[bool]] = {}
    for stem in STATEFUL:
        for case in load(stem)["cases"]:
            body = case["block"].get("transaction", {}).get("body")
            if isinstance(body, dict):
                seen.setdefault(body.get("type"), set()).add(case["expected"]["code"] == 0)
    for body_type in get_args(AnyBody):
        tag = msgspec.inspect.type_info(body_type).tag  # type: ignore[union-attr]
        assert seen[tag] == {True, False}, tag
        assert tag in STATEFUL, f"{tag} has no file"


@pytest.mark.parametrize("stem", STATEFUL)
def test_files_can_be_replayed_by_what_they_say(stem: str) -> None:
    """As another language would: genesis, setup and block from the file, the result against the file."""
    document = load(stem)
    for case in document["cases"]:
        state = make_state(decode_genesis(json.dumps(case.get("genesis", document["genesis"])).encode()))
        for block in case["setup"]:
            setup = _apply(state, block["time_ms"], [canonical_json(tx) for tx in block["transactions"]])
            assert [receipt.name for receipt in setup.receipts] == ["Ok"] * len(block["transactions"]), case["name"]
        before = dict(state.items())
        result = _apply(state, case["block"]["time_ms"], _raws(case["block"]))
        expected = case["expected"]
        for receipt in result.receipts:
            assert (receipt.code, receipt.name) == (expected["code"], expected["name"]), case["name"]
        after = dict(state.items())
        for key in before.keys() | after.keys() | expected["changed"].keys():
            value = json.loads(after[key]) if key in after else None
            if key in expected["changed"]:
                assert value == expected["changed"][key], (case["name"], key)
            else:
                assert before.get(key) == after.get(key), (case["name"], key)
        assert json.loads(msgspec.json.encode(result.events)) == expected["events"], case["name"]
        assert state.app_hash == expected["app_hash"], case["name"]


def test_keys_follow_from_their_seeds() -> None:
    for name, entry in load("keys")["keys"].items():
        assert SigningKey(bytes.fromhex(entry["seed_hex"])).address == entry["address"], name


def _raws(block: dict[str, Any]) -> list[bytes]:
    if "transaction" in block:
        return [canonical_json(block["transaction"])]
    if "raw" in block:
        return [block["raw"].encode()]
    return [bytes.fromhex(block["raw_hex"])] if "raw_hex" in block else []


def _apply(state: State, time_ms: int, raws: list[bytes]) -> BlockResult:
    chain = state.chain
    checked = [check_transaction(raw, chain.chain_id) for raw in raws]
    result = apply_block(state, Block(chain.height + 1, time_ms, checked))
    state.commit(result.changes)
    return result
