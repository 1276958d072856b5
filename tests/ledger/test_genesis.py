"""Genesis: the whole supply is somewhere, and a document that contradicts itself is refused."""

import json
from typing import Any

import msgspec
import pytest

from choir.ledger.genesis import NEW_MESSAGE_POOL, GenesisError, decode_genesis, genesis_hash, make_state
from choir.primitives.amounts import TOTAL_SUPPLY_UCHOIR
from tests.ledger.support import address, make_genesis

GENESIS = make_genesis()
DOCUMENT: dict[str, Any] = json.loads(msgspec.json.encode(GENESIS))


def test_the_whole_supply_is_held() -> None:
    state = make_state(GENESIS)
    assert state.total_held() == TOTAL_SUPPLY_UCHOIR
    assert state.treasury.new_message_pool == NEW_MESSAGE_POOL
    assert state.chain.height == 0


def test_round_trip() -> None:
    assert decode_genesis(msgspec.json.encode(GENESIS)) == GENESIS
    assert genesis_hash(decode_genesis(json.dumps(DOCUMENT, indent=2).encode())) == genesis_hash(GENESIS)


@pytest.mark.parametrize(
    "changes",
    [
        {"validators": []},
        {"validators": ["1" * 32]},
        {"validators": ["nonsense"]},
        {"council_members": [address("alice")] * 2},
        {"council_threshold": 0},
        {"council_threshold": 4},
        {"allocations": {"1" * 32: "1"}},
        {"allocations": {address("alice") + " ": "1"}},
        {"allocations": {address("alice"): "-1"}},
        {"allocations": {address("alice"): "lots"}},
        {"allocations": {address("alice"): "1_000"}},
        {"allocations": {address("alice"): " 5"}},
        {"allocations": {address("alice"): 5}},
        {"allocations": {address("alice"): str(TOTAL_SUPPLY_UCHOIR - NEW_MESSAGE_POOL + 1)}},
        {"params": {**DOCUMENT["params"], "minimum_stake": 0}},
        {"params": {**DOCUMENT["params"], "prior_limit": 17}},
        {"params": {**DOCUMENT["params"], "nonsense": 1}},
        {"time_ms": "now"},
        {"time_ms": -1},
        {"time_ms": 2**53},
        {"chain_id": ""},
        {"chain_id": "my chain"},
        {"chain_id": "x" * 65},
        {"note": "x"},
    ],
)
def test_contradictions(changes: dict[str, Any]) -> None:
    with pytest.raises(GenesisError):
        make_state(decode_genesis(json.dumps({**DOCUMENT, **changes}).encode()))


@pytest.mark.parametrize("raw", [b"", b"{", b"[]", b"\xff", b'{"\xff":1}'])
def test_no_document(raw: bytes) -> None:
    with pytest.raises(GenesisError):
        decode_genesis(raw)


def test_everything_but_the_pool_may_be_allocated() -> None:
    all_of_it = str(TOTAL_SUPPLY_UCHOIR - NEW_MESSAGE_POOL)
    state = make_state(msgspec.structs.replace(GENESIS, allocations={address("alice"): all_of_it}))
    assert state.treasury.balance == 0


def test_another_document_is_another_chain() -> None:
    assert genesis_hash(GENESIS) != genesis_hash(msgspec.structs.replace(GENESIS, time_ms=GENESIS.time_ms + 1))
