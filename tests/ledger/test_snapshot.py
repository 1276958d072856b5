"""Snapshots: they restore the very state, and anything else is refused with a reason."""

import json
from typing import Any

import msgspec
import pytest

from choir.ledger.blocks import NO_BLOCK_HASH, Header, SignedHeader, header_bytes
from choir.ledger.genesis import make_state
from choir.ledger.snapshot import FORMAT, SnapshotError, restore_snapshot, take_snapshot
from choir.ledger.transactions import SubscribePremium, Transfer
from tests.ledger.support import CHAIN_ID, VALIDATOR, Ledger, address, create, key, make_genesis, post, spec, vote


def busy_ledger() -> Ledger:
    """Entries of every kind: open specs, proposals aside, expiries, citations, approvals, recent blocks."""
    ledger = Ledger()
    ledger.must(("alice", create("T")), ("alice", post("T", "M")), ("bob", SubscribePremium(periods=1)))
    ledger.must(("bob", create("U")), ("bob", post("U", "N", "M")), ("carol", spec("T", "S")), ("dave", spec("T", "R")))
    ledger.must(("alice", vote("S")))
    return ledger


def signed_header(ledger: Ledger) -> SignedHeader:
    chain = ledger.state.chain
    header = Header(
        app_hash=ledger.state.app_hash,
        chain_id=CHAIN_ID,
        data_hash="0" * 64,
        height=chain.height,
        previous_hash=NO_BLOCK_HASH,
        proposer=address(VALIDATOR),
        results_hash="0" * 64,
        time_ms=chain.time_ms,
    )
    return SignedHeader(header=header, signature=key(VALIDATOR).sign(header_bytes(header)))


@pytest.fixture(scope="module")
def ledger() -> Ledger:
    return busy_ledger()


@pytest.fixture
def lines(ledger: Ledger) -> list[bytes]:
    return take_snapshot(ledger.state, ledger.genesis, signed_header(ledger))[1]


def edit_head(lines: list[bytes], **fields: Any) -> list[bytes]:
    return [json.dumps({**json.loads(lines[0]), **fields}).encode() + b"\n", *lines[1:]]


def test_restores_the_very_state(ledger: Ledger, lines: list[bytes]) -> None:
    head, state = restore_snapshot(lines)
    assert head.format == FORMAT
    assert head.genesis == ledger.genesis
    assert head.header == signed_header(ledger)
    assert dict(state.items()) == dict(ledger.state.items())
    assert state.app_hash == ledger.state.app_hash


def test_goes_on_as_the_original_does(lines: list[bytes]) -> None:
    """Ordered queues and the memory of recent blocks are rebuilt too: later blocks give the same app hash."""
    original, resumed = busy_ledger(), busy_ledger()
    _, resumed.state = restore_snapshot(lines)
    week_ms = 7 * 86_400_000
    for wait_ms in (1, 60_000, 3_600_000, week_ms):
        hashes = set()
        for each in (original, resumed):
            each.run(("bob", Transfer(to=address("erin"), amount="1")), at_ms=each.now_ms + wait_ms)
            hashes.add(each.state.app_hash)
        assert len(hashes) == 1


def test_of_genesis_itself() -> None:
    genesis = make_genesis()
    head, state = restore_snapshot(take_snapshot(make_state(genesis), genesis, None)[1])
    assert head.header is None
    assert state.app_hash == make_state(genesis).app_hash


def test_order_of_lines_does_not_matter(ledger: Ledger, lines: list[bytes]) -> None:
    _, state = restore_snapshot([lines[0], *reversed(lines[1:])])
    assert dict(state.items()) == dict(ledger.state.items())


def test_every_missing_line_is_noticed(lines: list[bytes]) -> None:
    for index in range(len(lines)):
        with pytest.raises(SnapshotError):
            restore_snapshot(lines[:index] + lines[index + 1 :])
        with pytest.raises(SnapshotError):
            restore_snapshot(lines[:index])


def test_every_missing_entry_is_noticed_even_when_the_count_is_mended(lines: list[bytes]) -> None:
    for index in range(1, len(lines)):
        mended = edit_head(lines, entries=len(lines) - 2)
        with pytest.raises(SnapshotError, match="app hash"):
            restore_snapshot(mended[:index] + mended[index + 1 :])


def test_an_added_entry_is_noticed(lines: list[bytes]) -> None:
    extra = msgspec.json.encode((f"account/{address('nobody')}", {"balance": 1})) + b"\n"
    with pytest.raises(SnapshotError, match="entries"):
        restore_snapshot([*lines, extra])
    with pytest.raises(SnapshotError, match="app hash"):
        restore_snapshot([*edit_head(lines, entries=len(lines)), extra])


@pytest.mark.parametrize(
    "damage",
    [
        lambda line: line[: len(line) // 2],
        lambda line: line[:-10] + b"\xff" + line[-9:],
        lambda line: b"\n",
        lambda line: b"[]\n",
        lambda line: b'["no_slash",{}]\n',
        lambda line: b'["unknown_kind/x",{}]\n',
        lambda line: b'["account/\xc3\xa9",{}]\n',
        lambda line: b"[" * 2000 + b"\n",
    ],
)
def test_every_damaged_line_is_noticed(lines: list[bytes], damage: Any) -> None:
    for index in range(len(lines)):
        with pytest.raises(SnapshotError):
            restore_snapshot([*lines[:index], damage(lines[index]), *lines[index + 1 :]])


def test_every_changed_digit_is_noticed(lines: list[bytes]) -> None:
    for index, line in enumerate(lines[1:], start=1):
        position = next((i for i, c in enumerate(line) if chr(c) in "12345678"), None)
        if position is None:
            continue
        changed = line[:position] + bytes([line[position] + 1]) + line[position + 1 :]
        with pytest.raises(SnapshotError):
            restore_snapshot([*lines[:index], changed, *lines[index + 1 :]])


def test_wrong_app_hash(lines: list[bytes]) -> None:
    with pytest.raises(SnapshotError, match="app hash"):
        restore_snapshot(edit_head(lines, app_hash="0" * 64))
    header = json.loads(lines[0])["header"]
    header["header"]["app_hash"] = "0" * 64
    with pytest.raises(SnapshotError, match="app hash"):
        restore_snapshot(edit_head(lines, header=header))
    with pytest.raises(SnapshotError, match="app hash"):
        restore_snapshot(edit_head(lines, header=None))


def test_another_height_or_chain(lines: list[bytes]) -> None:
    header = json.loads(lines[0])["header"]
    header["header"]["height"] += 1
    with pytest.raises(SnapshotError, match="height or chain"):
        restore_snapshot(edit_head(lines, header=header))
    genesis = {**json.loads(lines[0])["genesis"], "chain_id": "other"}
    with pytest.raises(SnapshotError, match="height or chain"):
        restore_snapshot(edit_head(lines, genesis=genesis))


def test_a_genesis_that_breaks_the_rules(lines: list[bytes]) -> None:
    genesis = {**json.loads(lines[0])["genesis"], "validators": []}
    with pytest.raises(SnapshotError):
        restore_snapshot(edit_head(lines, genesis=genesis, header=None))


def test_another_format(lines: list[bytes]) -> None:
    with pytest.raises(SnapshotError, match="choir-snapshot-9"):
        restore_snapshot(edit_head(lines, format="choir-snapshot-9"))


def test_a_head_with_unknown_fields(lines: list[bytes]) -> None:
    with pytest.raises(SnapshotError, match="damaged"):
        restore_snapshot(edit_head(lines, note="x"))


def test_nothing_at_all() -> None:
    with pytest.raises(SnapshotError):
        restore_snapshot([])
