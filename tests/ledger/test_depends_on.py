"""``depends_on``: the named transaction was accepted in an earlier block, within the last hour of block time."""

import pytest

from choir.ledger.errors import Code
from choir.ledger.params import DEPENDENCY_WINDOW_MS
from choir.ledger.transactions import Transfer, transaction_hash
from tests.ledger.support import Ledger, address, sign

BODY = Transfer(to=address("bob"), amount="1")


def code_after(wait_ms: int) -> int:
    ledger = Ledger()
    first = sign("alice", BODY, 0)
    ledger.apply([first])
    second = sign("alice", BODY, 1, depends_on=transaction_hash(first))
    (receipt,) = ledger.apply([second], at_ms=ledger.now_ms + wait_ms).receipts
    return receipt.code


@pytest.mark.parametrize(
    ("wait_ms", "code"),
    [
        (1, 0),
        (DEPENDENCY_WINDOW_MS - 1, 0),
        (DEPENDENCY_WINDOW_MS, Code.DependencyUnknown.number),
        (10 * DEPENDENCY_WINDOW_MS, Code.DependencyUnknown.number),
    ],
)
def test_window(wait_ms: int, code: int) -> None:
    assert code_after(wait_ms) == code


def test_same_block_is_too_early() -> None:
    ledger = Ledger()
    first = sign("alice", BODY, 0)
    second = sign("alice", BODY, 1, depends_on=transaction_hash(first))
    assert [receipt.code for receipt in ledger.apply([first, second]).receipts] == [0, Code.DependencyUnknown.number]


def test_refused_transaction_is_nothing_to_depend_on() -> None:
    ledger = Ledger()
    refused = sign("alice", Transfer(to=address("bob"), amount="0"), 0)
    ledger.apply([refused])
    dependent = sign("alice", BODY, 1, depends_on=transaction_hash(refused))
    assert ledger.apply([dependent]).receipts[0].code == Code.DependencyUnknown.number


def test_forgotten_blocks_leave_the_state() -> None:
    ledger = Ledger()
    ledger.must(("alice", BODY))
    entries = len(ledger.state)
    ledger.apply(at_ms=ledger.now_ms + DEPENDENCY_WINDOW_MS)
    assert len(ledger.state) == entries - 1
