"""What a block may not be, and what halts the ledger: our own bugs, never a user's input."""

import msgspec
import pytest

from choir.ledger.entities import ACCOUNTS, THE_ONLY, TREASURY, Account
from choir.ledger.errors import BrokenInvariant
from choir.ledger.params import EPOCH_MS
from choir.ledger.state import Draft
from choir.ledger.transactions import SubscribePremium, Transfer
from choir.ledger.transition import Block, apply_block, next_due_ms
from choir.primitives.amounts import TOTAL_SUPPLY_UCHOIR
from tests.ledger.support import DAY_MS, Ledger, address, create, post, sign, spec, vote


@pytest.mark.parametrize("height", [-1, 0, 1, 3])
def test_heights_follow_each_other(height: int) -> None:
    ledger = Ledger()
    ledger.apply()
    with pytest.raises(BrokenInvariant, match="cannot follow"):
        apply_block(ledger.state, Block(height, ledger.now_ms + 1, []))


@pytest.mark.parametrize("step_ms", [-1, 0])
def test_time_only_moves_on(step_ms: int) -> None:
    ledger = Ledger()
    with pytest.raises(BrokenInvariant, match="not later"):
        apply_block(ledger.state, Block(1, ledger.now_ms + step_ms, []))


@pytest.mark.parametrize("amount", [1, -1])
def test_a_draft_that_makes_or_loses_uchoir_halts(amount: int) -> None:
    ledger = Ledger()
    draft = Draft(ledger.state)
    draft.put(ACCOUNTS, address("alice"), Account(balance=ledger.balance("alice") + amount))
    draft.keep()
    with pytest.raises(BrokenInvariant, match="creates"):
        draft.changes()


def test_a_draft_with_a_negative_amount_halts_even_when_it_balances() -> None:
    ledger = Ledger()
    draft = Draft(ledger.state)
    treasury = ledger.state.treasury
    draft.put(ACCOUNTS, address("nobody"), Account(balance=-5))
    draft.put(TREASURY, THE_ONLY, msgspec.structs.replace(treasury, prior_pool=5))
    draft.keep()
    with pytest.raises(BrokenInvariant, match="holds -5"):
        draft.changes()


def test_transactions_of_a_block_see_each_other() -> None:
    """Money received earlier in the block can be spent later in it; a refusal in between changes nothing."""
    ledger = Ledger()
    alice_has = ledger.balance("alice")
    result = ledger.apply(
        [
            sign("nobody", Transfer(to=address("bob"), amount="5"), 0),
            sign("alice", Transfer(to=address("nobody"), amount=str(alice_has)), 0),
            sign("nobody", Transfer(to=address("bob"), amount=str(alice_has)), 1),
            sign("alice", Transfer(to=address("bob"), amount="1"), 1),
        ]
    )
    assert [receipt.name for receipt in result.receipts] == ["InsufficientFunds", "Ok", "Ok", "InsufficientFunds"]
    assert [receipt.index for receipt in result.receipts] == [0, 1, 2, 3]
    assert ledger.balance("bob") == 2 * alice_has
    assert len(result.events) == 2
    assert ledger.state.total_held() == TOTAL_SUPPLY_UCHOIR


def test_an_entry_made_and_removed_in_one_block_leaves_no_trace() -> None:
    ledger = Ledger()
    ledger.must(("alice", create("T")))
    result = ledger.must(("bob", spec("T", "S")), ("alice", vote("S", approve=False)))
    assert not [key for key in result.changes.encoded if key.startswith(("spec/", "expiry/"))]
    assert result.changes.encoded.keys() == result.changes.entries.keys()


def test_encoded_changes_are_what_the_state_holds_afterwards() -> None:
    ledger = Ledger()
    result = ledger.must(("alice", create("T")), ("alice", post("T", "M")))
    after = dict(ledger.state.items())
    for key, value in result.changes.encoded.items():
        assert after.get(key) == value


def test_next_due() -> None:
    """Nothing, then the end of a spec's window, then the end of an epoch that may pay."""
    ledger = Ledger()
    assert next_due_ms(ledger.state) is None
    ledger.must(("alice", create("T")), ("alice", SubscribePremium(periods=1)))
    assert next_due_ms(ledger.state) is None
    ledger.must(("bob", spec("T", "S")))
    assert next_due_ms(ledger.state) == ledger.now_ms + 7 * DAY_MS
    ledger.must(("alice", vote("S")))
    assert next_due_ms(ledger.state) == ledger.genesis.time_ms + EPOCH_MS
    ledger.apply(at_ms=ledger.genesis.time_ms + EPOCH_MS)
    assert next_due_ms(ledger.state) is None
